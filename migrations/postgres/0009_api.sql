-- What programs may do and until when, and what they asked for under a key of theirs.

-- Words separated by spaces. A token from before could do all of this, and still can.
ALTER TABLE api_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'entries reports notifications';
-- When it stops working; NULL for one from before, which works until it is taken back.
ALTER TABLE api_tokens ADD COLUMN expires_at TIMESTAMPTZ;

CREATE TABLE api_requests (
    user_id     UUID NOT NULL REFERENCES users (id),
    key         TEXT NOT NULL,
    -- SHA-256 of method, address and body: under one key one thing is asked for.
    fingerprint BYTEA NOT NULL,
    -- Whoever answers it holds the row by this; NULL once it is answered, or was given up.
    lease       UUID,
    claimed_at  TIMESTAMPTZ NOT NULL,
    -- The answer, its headers as JSON; NULL as long as there is none.
    status      INTEGER,
    headers     JSONB,
    body        TEXT,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX api_requests_by_age ON api_requests (created_at);
