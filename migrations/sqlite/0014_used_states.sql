-- States that came back from signing in and from installing. They are sealed and stand for themselves, so nothing is
-- stored until one is used; then it is kept by its digest until it would have run out, so that none works twice.
CREATE TABLE used_states (
    digest     BLOB NOT NULL PRIMARY KEY,
    expires_at DATETIME NOT NULL
);
CREATE INDEX used_states_by_age ON used_states (expires_at);
