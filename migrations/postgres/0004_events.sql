-- What the calendars hold, and which of it became time entries.

ALTER TABLE calendar_integrations ADD COLUMN sync_lease UUID;
ALTER TABLE calendar_integrations ADD COLUMN sync_until TIMESTAMPTZ;
-- How often in a row a calendar that had events came back empty.
ALTER TABLE calendar_integrations ADD COLUMN empty_runs INTEGER NOT NULL DEFAULT 0;
-- Not to be read before this: the provider asked to wait, or it failed.
ALTER TABLE calendar_integrations ADD COLUMN next_attempt_at TIMESTAMPTZ;
ALTER TABLE calendar_integrations ADD COLUMN sync_fails INTEGER NOT NULL DEFAULT 0;
-- What the last complete reading found, as JSON.
ALTER TABLE calendar_integrations ADD COLUMN last_counts TEXT;
CREATE INDEX calendar_integrations_to_sync ON calendar_integrations (last_synced_at) WHERE sync_enabled;

CREATE TABLE synced_calendar_events (
    id                UUID NOT NULL PRIMARY KEY,
    calendar_id       UUID NOT NULL REFERENCES calendar_integrations (id),
    user_id           UUID NOT NULL REFERENCES users (id),
    -- Case-sensitive.
    provider_event_id TEXT NOT NULL,
    -- The same in every calendar that shows the meeting; without what a split of its series adds.
    ical_uid          TEXT,
    series_id         TEXT,
    -- The slot of the series that it stands in, wherever it was moved to.
    original_start    TIMESTAMPTZ,
    event_title       TEXT NOT NULL,
    event_start       TIMESTAMPTZ NOT NULL,
    event_end         TIMESTAMPTZ NOT NULL,
    -- suggested, logged, dismissed, gone or skipped, and why it is skipped.
    state             TEXT NOT NULL,
    skip_reason       TEXT,
    is_synced         BOOLEAN NOT NULL,
    time_entry_id     UUID REFERENCES time_entries (id),
    dismissed_at      TIMESTAMPTZ,
    removed_at        TIMESTAMPTZ,
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL,
    UNIQUE (calendar_id, provider_event_id)
);
CREATE INDEX synced_calendar_events_waiting ON synced_calendar_events (user_id, event_start) WHERE state = 'suggested';
CREATE INDEX synced_calendar_events_by_slot ON synced_calendar_events (user_id, ical_uid, event_start);
CREATE INDEX synced_calendar_events_by_entry ON synced_calendar_events (time_entry_id);

-- One event is one entry, whatever is pressed twice, taken back and logged again.
ALTER TABLE time_entries ADD COLUMN source_event_id UUID REFERENCES synced_calendar_events (id);
CREATE UNIQUE INDEX time_entries_by_event ON time_entries (source_event_id) WHERE source_event_id IS NOT NULL;
