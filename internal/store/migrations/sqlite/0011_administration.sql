-- +goose Up

-- What administrators changed. kind and subject name what was changed; the line
-- stays when that is gone.
CREATE TABLE admin_trail (
    id      INTEGER NOT NULL PRIMARY KEY,
    at_us   INTEGER NOT NULL,
    who     INTEGER NOT NULL,
    request TEXT NOT NULL,
    action  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    note    TEXT NOT NULL
) STRICT;
CREATE INDEX admin_trail_subject ON admin_trail (kind, subject, at_us);

-- For what asks who is in a group. Rows of users are written by every upload, but
-- never this column.
CREATE INDEX users_group ON users (group_id, id);
