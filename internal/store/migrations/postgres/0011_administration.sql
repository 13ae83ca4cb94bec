-- +goose Up

-- What administrators changed. kind and subject name what was changed; the line
-- stays when that is gone.
CREATE TABLE admin_trail (
    id      BIGINT NOT NULL PRIMARY KEY,
    at_us   BIGINT NOT NULL,
    who     BIGINT NOT NULL,
    request TEXT NOT NULL,
    action  TEXT NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    note    TEXT NOT NULL
);
CREATE INDEX admin_trail_subject ON admin_trail (kind, subject, at_us);

-- For what asks who is in a group. Rows of users are written by every upload, but
-- never this column.
CREATE INDEX users_group ON users (group_id, id);
