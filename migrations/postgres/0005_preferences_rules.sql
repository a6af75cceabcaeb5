-- What people decide about BillOps, the series that are logged by themselves, and what was said about meetings.

ALTER TABLE slack_user_bindings ADD COLUMN daily_summary BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE slack_user_bindings ADD COLUMN daily_summary_minutes INTEGER NOT NULL DEFAULT 1050;
-- The lowest bit is Monday.
ALTER TABLE slack_user_bindings ADD COLUMN summary_days INTEGER NOT NULL DEFAULT 31;
ALTER TABLE slack_user_bindings ADD COLUMN silent_when_done BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE slack_user_bindings ADD COLUMN monday BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE slack_user_bindings ADD COLUMN after_meeting BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE slack_user_bindings ADD COLUMN entry_notifications BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE slack_user_bindings ADD COLUMN invoice_notifications BOOLEAN NOT NULL DEFAULT TRUE;
-- The zone that the person has fixed; Slack's own stands with the user.
ALTER TABLE slack_user_bindings ADD COLUMN fixed_time_zone TEXT;
ALTER TABLE slack_user_bindings ADD COLUMN default_project_id UUID REFERENCES projects (id);
ALTER TABLE slack_user_bindings ADD COLUMN suggest_private BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE slack_user_bindings ADD COLUMN suggest_tentative BOOLEAN NOT NULL DEFAULT TRUE;

-- When it was dealt with that the meeting has ended: logged by a rule, said, or left to the Home tab.
ALTER TABLE synced_calendar_events ADD COLUMN end_handled_at TIMESTAMPTZ;
-- The message about it in the person's conversation with the bot.
ALTER TABLE synced_calendar_events ADD COLUMN card_channel TEXT;
ALTER TABLE synced_calendar_events ADD COLUMN card_ts TEXT;
CREATE INDEX synced_calendar_events_ending ON synced_calendar_events (event_end)
    WHERE state = 'suggested' AND end_handled_at IS NULL;
CREATE INDEX synced_calendar_events_by_series ON synced_calendar_events (user_id, series_id, event_start)
    WHERE is_synced;

-- Series that are always logged to one project, were offered to be, or never are to be.
CREATE TABLE rules (
    id         UUID NOT NULL PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id),
    series_id  TEXT NOT NULL,
    title      TEXT NOT NULL,
    -- None is a choice, too.
    project_id UUID REFERENCES projects (id),
    billable   BOOLEAN NOT NULL,
    -- offered, active, declined or removed
    state      TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (user_id, series_id)
);
