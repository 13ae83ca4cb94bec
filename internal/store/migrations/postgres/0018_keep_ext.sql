-- +goose Up

-- The extensions of the files of which former contents are kept, between slashes as
-- no name holds one; none: of all.
ALTER TABLE users ADD COLUMN keep_ext TEXT NOT NULL DEFAULT '';
