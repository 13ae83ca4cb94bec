-- +goose Up

-- Beside the drive, whose key is '', a user may have roots that no path leads to.
DROP INDEX nodes_root;
CREATE UNIQUE INDEX nodes_root ON nodes (owner, name_key) WHERE parent IS NULL;

-- What is to go at a time of its own: what was thrown away, and copies that are
-- not whole yet.
CREATE TABLE trash (
    node   INTEGER NOT NULL PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
    token  TEXT NOT NULL,
    due_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX trash_token ON trash (token);
CREATE INDEX trash_due ON trash (due_us);

ALTER TABLE groups ADD COLUMN trash_seconds INTEGER NOT NULL DEFAULT 604800;
