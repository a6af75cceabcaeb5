-- When each person's next summary is due, what was sent to them once, and what they said of their days.

CREATE TABLE summary_plans (
    binding_id BLOB NOT NULL REFERENCES slack_user_bindings (id),
    -- day or week
    kind       TEXT NOT NULL,
    -- When the next one is due; NULL while the person wants none.
    due_at     DATETIME,
    -- The day it is about, of a week its Monday; NULL where it has to be planned first.
    about      DATE,
    PRIMARY KEY (binding_id, kind)
);
CREATE INDEX summary_plans_due ON summary_plans (due_at, binding_id) WHERE due_at IS NOT NULL;
-- Whoever is known already is planned for at the first look.
INSERT INTO summary_plans (binding_id, kind, due_at)
    SELECT id, 'day', '1970-01-01T00:00:00+00:00' FROM slack_user_bindings;
INSERT INTO summary_plans (binding_id, kind, due_at)
    SELECT id, 'week', '1970-01-01T00:00:00+00:00' FROM slack_user_bindings;

-- Until when the workspace's summaries are spread already: Slack takes so many a minute.
ALTER TABLE slack_integrations ADD COLUMN summaries_until DATETIME;

-- Messages that are sent once.
CREATE TABLE notices (
    binding_id BLOB NOT NULL REFERENCES slack_user_bindings (id),
    -- Which one: day:2026-11-20
    notice     TEXT NOT NULL,
    -- sending, sent or refused
    state      TEXT NOT NULL,
    -- Since when somebody has been sending it: where that never ended, Slack is asked what came of it.
    claimed_at DATETIME NOT NULL,
    -- Where it stands.
    channel    TEXT,
    ts         TEXT,
    -- What it says, as a fingerprint: it is drawn anew only if that has changed.
    said       TEXT,
    PRIMARY KEY (binding_id, notice)
);
CREATE INDEX notices_by_age ON notices (claimed_at);

-- What people said of a day.
CREATE TABLE day_marks (
    user_id    BLOB NOT NULL REFERENCES users (id),
    date       DATE NOT NULL,
    -- off, or closed though something is missing
    mark       TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (user_id, date)
);
