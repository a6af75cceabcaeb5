-- Whose a run is: only the lease that took a job last may end, postpone or fail it.
ALTER TABLE jobs ADD COLUMN lease_id UUID;
-- Somebody waits for it: it has workers of its own, which no other job can keep busy.
ALTER TABLE jobs ADD COLUMN is_prompt BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX jobs_due_prompt ON jobs (run_at) WHERE dead_at IS NULL AND is_prompt;
