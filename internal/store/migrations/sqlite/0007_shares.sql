-- +goose Up

-- A share outlives what it opens: name and kind are what they were when it was
-- made, for the list of one's shares. sealed is the password, empty without one;
-- expires_us is 0 and remain -1 where there is no limit.
CREATE TABLE shares (
    id          INTEGER NOT NULL PRIMARY KEY,
    owner       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    node        INTEGER NOT NULL,
    name        TEXT NOT NULL,
    kind        INTEGER NOT NULL,
    sealed      BLOB NOT NULL,
    expires_us  INTEGER NOT NULL CHECK (expires_us >= 0),
    remain      INTEGER NOT NULL CHECK (remain >= -1),
    visited     INTEGER NOT NULL,
    downloaded  INTEGER NOT NULL,
    show_view   INTEGER NOT NULL,
    show_readme INTEGER NOT NULL,
    created_us  INTEGER NOT NULL
) STRICT;
CREATE INDEX shares_owner ON shares (owner, id);
