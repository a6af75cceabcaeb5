-- Workspaces that installed the app through OAuth. The tokens are sealed; both are NULL where the app was installed
-- by hand (SLACK_BOT_TOKEN) or removed.
ALTER TABLE slack_integrations ADD COLUMN bot_token TEXT;
ALTER TABLE slack_integrations ADD COLUMN refresh_token TEXT;
-- NULL where the token does not run out: the app has no token rotation.
ALTER TABLE slack_integrations ADD COLUMN token_expires_at DATETIME;
-- Until when some replica gets a new token; the others use the old one meanwhile.
ALTER TABLE slack_integrations ADD COLUMN refresh_until DATETIME;
-- What the token may do, as Slack wrote it: with commas.
ALTER TABLE slack_integrations ADD COLUMN scopes TEXT;
-- The Slack user who installed it last.
ALTER TABLE slack_integrations ADD COLUMN installed_by TEXT;
ALTER TABLE slack_integrations ADD COLUMN installed_at DATETIME;
ALTER TABLE slack_integrations ADD COLUMN uninstalled_at DATETIME;
