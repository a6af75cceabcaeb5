-- What admins decide for their workspace, and who changed what.

-- A full day, for whoever has not set their own.
ALTER TABLE slack_integrations ADD COLUMN target_minutes_per_day INTEGER NOT NULL DEFAULT 480;
-- none, up:15 or nearest:6; only what reports show is rounded.
ALTER TABLE slack_integrations ADD COLUMN rounding TEXT NOT NULL DEFAULT 'none';
ALTER TABLE slack_integrations ADD COLUMN time_enabled BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE slack_integrations ADD COLUMN notices_enabled BOOLEAN NOT NULL DEFAULT TRUE;
-- Rises with each change, so that a form that was opened before it is not saved over it.
ALTER TABLE slack_integrations ADD COLUMN settings_version INTEGER NOT NULL DEFAULT 1;

-- Whether the person's target is their own; otherwise the workspace's counts.
ALTER TABLE slack_user_bindings ADD COLUMN has_own_target BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE slack_user_bindings SET has_own_target = TRUE WHERE target_minutes_per_day <> 480;

-- When a browser last used its session, to within minutes.
ALTER TABLE sessions ADD COLUMN last_used_at DATETIME;

CREATE TABLE audit_events (
    id                   BLOB NOT NULL PRIMARY KEY,
    slack_integration_id BLOB NOT NULL REFERENCES slack_integrations (id),
    -- Who did it, by Slack's id: it stays readable when the person has left.
    slack_user_id        TEXT NOT NULL,
    -- A setting, api_token or calendar.
    subject              TEXT NOT NULL,
    -- NULL where there was nothing, or is nothing any more.
    value_before         TEXT,
    value_after          TEXT,
    created_at           DATETIME NOT NULL
);
CREATE INDEX audit_events_by_workspace ON audit_events (slack_integration_id, id);
