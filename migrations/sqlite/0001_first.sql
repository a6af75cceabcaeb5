-- Ids are UUIDv7 (16 bytes). Instants are UTC text to the microsecond, bound by the program:
-- no column has a default for time. The same tables and columns stand in migrations/postgres.

CREATE TABLE slack_integrations (
    id             BLOB NOT NULL PRIMARY KEY,
    -- Slack's team id, or the enterprise id where the app is installed for a whole organisation.
    workspace_id   TEXT NOT NULL UNIQUE,
    workspace_name TEXT,
    app_id         TEXT,
    bot_user_id    TEXT,
    is_active      BOOLEAN NOT NULL,
    created_at     DATETIME NOT NULL,
    updated_at     DATETIME NOT NULL
);

CREATE TABLE users (
    id                BLOB NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL,
    -- What Slack says; NULL until Slack has answered.
    time_zone         TEXT,
    profile_read_at   DATETIME,
    created_at        DATETIME NOT NULL,
    updated_at        DATETIME NOT NULL
);

CREATE TABLE slack_user_bindings (
    id                     BLOB NOT NULL PRIMARY KEY,
    user_id                BLOB NOT NULL REFERENCES users (id),
    slack_integration_id   BLOB NOT NULL REFERENCES slack_integrations (id),
    slack_user_id          TEXT NOT NULL,
    bare_number_unit       TEXT NOT NULL,
    target_minutes_per_day INTEGER NOT NULL,
    -- Set when the person first opens the Home tab: only then is there a view to keep fresh.
    home_opened_at         DATETIME,
    home_view_hash         TEXT,
    created_at             DATETIME NOT NULL,
    updated_at             DATETIME NOT NULL,
    UNIQUE (slack_integration_id, slack_user_id)
);

CREATE TABLE time_entries (
    id               BLOB NOT NULL PRIMARY KEY,
    user_id          BLOB NOT NULL REFERENCES users (id),
    source           TEXT NOT NULL,
    status           TEXT NOT NULL,
    description      TEXT NOT NULL,
    -- The day in the person's zone that the entry counts for.
    date             DATE NOT NULL,
    started_at       DATETIME,
    ended_at         DATETIME,
    duration_minutes INTEGER NOT NULL CHECK (duration_minutes BETWEEN 1 AND 1440),
    typed_text       TEXT,
    version          INTEGER NOT NULL,
    created_at       DATETIME NOT NULL,
    updated_at       DATETIME NOT NULL,
    -- An entry taken back stays, so that it can be put back under the same id.
    deleted_at       DATETIME
);
-- Covers the day's total; the newest entries are found by id, which rises with time.
CREATE INDEX time_entries_by_day ON time_entries (user_id, date, duration_minutes) WHERE deleted_at IS NULL;
CREATE INDEX time_entries_by_age ON time_entries (user_id, id) WHERE deleted_at IS NULL;

CREATE TABLE idempotency_keys (
    user_id    BLOB NOT NULL REFERENCES users (id),
    key        BLOB NOT NULL,
    -- What was answered the first time, as JSON; a repeated request gets it again.
    answer     TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (user_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE jobs (
    id          BLOB NOT NULL PRIMARY KEY,
    unique_key  TEXT NOT NULL UNIQUE,
    payload     TEXT NOT NULL,
    -- Counts how often the job was asked for: one asked for again while it runs, runs again.
    asked       INTEGER NOT NULL,
    run_at      DATETIME NOT NULL,
    attempts    INTEGER NOT NULL,
    leased_until DATETIME,
    last_error  TEXT,
    dead_at     DATETIME,
    created_at  DATETIME NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE dead_at IS NULL;
