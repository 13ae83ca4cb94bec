-- +goose Up

-- What people say about themselves. max_versions bounds the contents kept of a
-- file further than the group does; 0: as the group says.
ALTER TABLE users ADD COLUMN theme TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN avatar TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN view_alone INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN share_links TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN max_versions INTEGER NOT NULL DEFAULT 0 CHECK (max_versions >= 0);

-- Where a device signed in from.
ALTER TABLE families ADD COLUMN addr TEXT NOT NULL DEFAULT '';
CREATE INDEX families_user ON families (user_id, rotated_us);

-- One for each user at most. since_us is 0 until a code has proved it; the
-- secret is sealed.
CREATE TABLE second_factors (
    user_id  INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    sealed   BLOB NOT NULL,
    made_us  INTEGER NOT NULL,
    since_us INTEGER NOT NULL
) STRICT;

CREATE TABLE passkeys (
    id         TEXT NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    name       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    created_us INTEGER NOT NULL,
    used_us    INTEGER NOT NULL
) STRICT;
CREATE INDEX passkeys_user ON passkeys (user_id, created_us);

CREATE TABLE pictures (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    mime    TEXT NOT NULL,
    image   BLOB NOT NULL,
    at_us   INTEGER NOT NULL
) STRICT;

-- What counts once, until it would not count any more anyway.
CREATE TABLE spent (
    id       TEXT NOT NULL PRIMARY KEY,
    until_us INTEGER NOT NULL
) STRICT;
CREATE INDEX spent_until ON spent (until_us);
