-- Accounts at Google and Microsoft with their calendars, how they are connected, and who is signed in.
-- What is secret is either sealed (text of the form v1.<key>.<…>, bound to its row) or kept as a SHA-256 digest.

CREATE TABLE user_oauth_accounts (
    id                UUID NOT NULL PRIMARY KEY,
    user_id           UUID NOT NULL REFERENCES users (id),
    provider          TEXT NOT NULL,
    -- Who it is at the provider: Google's sub, Microsoft's tid/oid. Never the e-mail address, which changes hands.
    subject           TEXT NOT NULL,
    email             TEXT NOT NULL,
    -- What was granted, separated by spaces.
    scopes            TEXT NOT NULL,
    -- Sealed; NULL once disconnected.
    access_token      TEXT,
    refresh_token     TEXT,
    access_expires_at TIMESTAMPTZ,
    -- active, needs_reconnect or disconnected, why in the provider's word, and since when.
    state             TEXT NOT NULL,
    state_reason      TEXT,
    state_since       TIMESTAMPTZ NOT NULL,
    -- How many messages the person got about its being broken, since then.
    told              INTEGER NOT NULL,
    -- Whoever refreshes the tokens holds the row by this until then.
    refresh_lease     UUID,
    refresh_until     TIMESTAMPTZ,
    -- When the provider last gave tokens: one that is left alone too long, it forgets.
    refreshed_at      TIMESTAMPTZ NOT NULL,
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL,
    UNIQUE (user_id, provider, subject)
);
CREATE INDEX user_oauth_accounts_by_refresh ON user_oauth_accounts (refreshed_at) WHERE state = 'active';

-- Every calendar an account has shown. One that is not read keeps its row, so that choosing it again forgets nothing.
CREATE TABLE calendar_integrations (
    id                   UUID NOT NULL PRIMARY KEY,
    user_id              UUID NOT NULL REFERENCES users (id),
    oauth_account_id     UUID NOT NULL REFERENCES user_oauth_accounts (id),
    provider             TEXT NOT NULL,
    provider_calendar_id TEXT NOT NULL,
    calendar_name        TEXT NOT NULL,
    is_primary           BOOLEAN NOT NULL,
    -- Whether the account may see titles there; without them there is nothing to log.
    has_details          BOOLEAN NOT NULL,
    -- The person chose to have it read.
    is_active            BOOLEAN NOT NULL,
    -- It is read on schedule; switched off while it stays chosen.
    sync_enabled         BOOLEAN NOT NULL,
    -- Not in the account's list any more, since.
    gone_at              TIMESTAMPTZ,
    last_synced_at       TIMESTAMPTZ,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    UNIQUE (oauth_account_id, provider_calendar_id)
);
CREATE INDEX calendar_integrations_by_user ON calendar_integrations (user_id, oauth_account_id);

-- A link that was given to a person in Slack to connect a calendar in a browser.
CREATE TABLE link_intents (
    id         UUID NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    binding_id UUID NOT NULL REFERENCES slack_user_bindings (id),
    provider   TEXT NOT NULL,
    -- The account that is to be connected again, where it is about one.
    account_id UUID REFERENCES user_oauth_accounts (id),
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX link_intents_by_binding ON link_intents (binding_id, provider);
CREATE INDEX link_intents_by_age ON link_intents (expires_at);

-- An errand in a browser that has gone to a provider and is to come back once.
CREATE TABLE oauth_states (
    id           UUID NOT NULL PRIMARY KEY,
    state_hash   BYTEA NOT NULL UNIQUE,
    provider     TEXT NOT NULL,
    binding_id   UUID NOT NULL REFERENCES slack_user_bindings (id),
    -- The browser it left from, by the digest of its cookie; NULL for a program, which shows its token instead.
    browser_hash BYTEA,
    redirect_uri TEXT NOT NULL,
    -- The PKCE verifier, the nonce and where it began. Sealed.
    secrets      TEXT NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    used_at      TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX oauth_states_by_binding ON oauth_states (binding_id, id);
CREATE INDEX oauth_states_by_age ON oauth_states (expires_at);

-- What was granted to a browser that could not prove whose it is: it waits for the code it shows to be typed in Slack.
CREATE TABLE parked_grants (
    id         UUID NOT NULL PRIMARY KEY,
    binding_id UUID NOT NULL REFERENCES slack_user_bindings (id),
    provider   TEXT NOT NULL,
    code_hash  BYTEA NOT NULL,
    -- The whole grant, sealed.
    sealed     TEXT NOT NULL,
    tries_left INTEGER NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX parked_grants_by_binding ON parked_grants (binding_id);

-- Browsers that are signed in.
CREATE TABLE sessions (
    id         UUID NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    binding_id UUID NOT NULL REFERENCES slack_user_bindings (id),
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_by_binding ON sessions (binding_id);
CREATE INDEX sessions_by_age ON sessions (expires_at);

-- Programs that act for a person.
CREATE TABLE api_tokens (
    id           UUID NOT NULL PRIMARY KEY,
    token_hash   BYTEA NOT NULL UNIQUE,
    binding_id   UUID NOT NULL REFERENCES slack_user_bindings (id),
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX api_tokens_by_binding ON api_tokens (binding_id);
