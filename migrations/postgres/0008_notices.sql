-- What was told of a broken account is among the notices now.
ALTER TABLE user_oauth_accounts DROP COLUMN told;
