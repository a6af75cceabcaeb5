-- The entries that time_entries_by_day leaves out: a person's own data names them, and they go with the person.
CREATE INDEX time_entries_deleted ON time_entries (user_id, date, id) WHERE deleted_at IS NOT NULL;
