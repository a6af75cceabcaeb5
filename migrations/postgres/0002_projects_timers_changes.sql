-- Projects and clients belong to a workspace, timers and changes to a person.

CREATE TABLE clients (
    id                   UUID NOT NULL PRIMARY KEY,
    slack_integration_id UUID NOT NULL REFERENCES slack_integrations (id),
    -- What people type behind @: lower case, without spaces.
    slug                 TEXT NOT NULL,
    name                 TEXT NOT NULL,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    UNIQUE (slack_integration_id, slug)
);

CREATE TABLE projects (
    id                   UUID NOT NULL PRIMARY KEY,
    slack_integration_id UUID NOT NULL REFERENCES slack_integrations (id),
    client_id            UUID REFERENCES clients (id),
    -- What people type behind #: lower case, without spaces.
    slug                 TEXT NOT NULL,
    name                 TEXT NOT NULL,
    is_billable          BOOLEAN NOT NULL,
    -- An archived project keeps its entries and takes no new ones.
    archived_at          TIMESTAMPTZ,
    version              INTEGER NOT NULL,
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    UNIQUE (slack_integration_id, slug)
);

CREATE TABLE project_aliases (
    slack_integration_id UUID NOT NULL REFERENCES slack_integrations (id),
    alias                TEXT NOT NULL,
    project_id           UUID NOT NULL REFERENCES projects (id),
    PRIMARY KEY (slack_integration_id, alias)
);
CREATE INDEX project_aliases_by_project ON project_aliases (project_id);

-- The project that is meant in a channel when none is named.
CREATE TABLE channel_projects (
    slack_integration_id UUID NOT NULL REFERENCES slack_integrations (id),
    channel_id           TEXT NOT NULL,
    project_id           UUID NOT NULL REFERENCES projects (id),
    linked_by            UUID NOT NULL REFERENCES users (id),
    created_at           TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (slack_integration_id, channel_id)
);

-- The project a person named last in a channel: the next default there.
CREATE TABLE last_projects (
    user_id    UUID NOT NULL REFERENCES users (id),
    channel_id TEXT NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id),
    used_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, channel_id)
);

ALTER TABLE slack_integrations ADD COLUMN project_creators TEXT NOT NULL DEFAULT 'everyone';

ALTER TABLE users ADD COLUMN is_admin BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN locale TEXT;

ALTER TABLE slack_user_bindings ADD COLUMN workday_start_minutes INTEGER NOT NULL DEFAULT 540;
-- The unit that bare numbers were last corrected to, and how often in a row.
ALTER TABLE slack_user_bindings ADD COLUMN flipped_to TEXT;
ALTER TABLE slack_user_bindings ADD COLUMN flips INTEGER NOT NULL DEFAULT 0;
-- The entry that was corrected last: pressed twice, it counts once.
ALTER TABLE slack_user_bindings ADD COLUMN flipped_entry UUID;

ALTER TABLE time_entries ADD COLUMN project_id UUID REFERENCES projects (id);
ALTER TABLE time_entries ADD COLUMN billable BOOLEAN NOT NULL DEFAULT FALSE;
-- A JSON list of words.
ALTER TABLE time_entries ADD COLUMN tags JSONB NOT NULL DEFAULT '[]';
ALTER TABLE time_entries ADD COLUMN permalink TEXT;
-- Whether somebody said from when to when it was. Where only a length was given, BillOps placed it.
ALTER TABLE time_entries ADD COLUMN is_timed BOOLEAN NOT NULL DEFAULT FALSE;
-- As before, and it also answers whether any of the day's entries can overlap another.
DROP INDEX time_entries_by_day;
CREATE INDEX time_entries_by_day ON time_entries (user_id, date, id, duration_minutes, is_timed)
    WHERE deleted_at IS NULL;

-- One running timer for each person: their id is the key.
CREATE TABLE timers (
    user_id     UUID NOT NULL PRIMARY KEY REFERENCES users (id),
    id          UUID NOT NULL,
    description TEXT NOT NULL,
    project_id  UUID REFERENCES projects (id),
    billable    BOOLEAN NOT NULL,
    tags        JSONB NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    version     INTEGER NOT NULL,
    -- When the person is asked whether it was forgotten; NULL once they were.
    ask_at      TIMESTAMPTZ
);
CREATE INDEX timers_to_ask ON timers (ask_at) WHERE ask_at IS NOT NULL;

-- What was done to entries and timers, so that it can be taken back.
CREATE TABLE changes (
    id           UUID NOT NULL PRIMARY KEY,
    user_id      UUID NOT NULL REFERENCES users (id),
    kind         TEXT NOT NULL,
    -- Whether it took another change back: `/time undo` passes over it.
    is_undo      BOOLEAN NOT NULL,
    -- JSON; NULL where there was none.
    timer_before JSONB,
    timer_after  JSONB,
    undone_at    TIMESTAMPTZ
);
CREATE INDEX changes_by_person ON changes (user_id, id);

CREATE TABLE change_steps (
    change_id     UUID NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
    entry_id      UUID NOT NULL REFERENCES time_entries (id),
    -- The entry's version after the change, and what it was before, as JSON; NULL where it was made by it.
    version_after INTEGER NOT NULL,
    entry_before  JSONB,
    PRIMARY KEY (change_id, entry_id)
);
CREATE INDEX change_steps_by_entry ON change_steps (entry_id, version_after);
