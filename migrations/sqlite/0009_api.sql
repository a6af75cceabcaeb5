-- What programs may do and until when, and what they asked for under a key of theirs.

-- Words separated by spaces. A token from before could do all of this, and still can.
ALTER TABLE api_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'entries reports notifications';
-- When it stops working; NULL for one from before, which works until it is taken back.
ALTER TABLE api_tokens ADD COLUMN expires_at DATETIME;

CREATE TABLE api_requests (
    user_id     BLOB NOT NULL REFERENCES users (id),
    key         TEXT NOT NULL,
    -- SHA-256 of method, address and body: under one key one thing is asked for.
    fingerprint BLOB NOT NULL,
    -- Whoever answers it holds the row by this; NULL once it is answered, or was given up.
    lease       BLOB,
    claimed_at  DATETIME NOT NULL,
    -- The answer, its headers as JSON; NULL as long as there is none.
    status      INTEGER,
    headers     TEXT,
    body        TEXT,
    created_at  DATETIME NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX api_requests_by_age ON api_requests (created_at);
