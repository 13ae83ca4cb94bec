-- +goose Up

-- A share outlives what it opens: name and kind are what they were when it was
-- made, for the list of one's shares. sealed is the password, empty without one;
-- expires_us is 0 and remain -1 where there is no limit.
CREATE TABLE shares (
    id          BIGINT NOT NULL PRIMARY KEY,
    owner       BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    node        BIGINT NOT NULL,
    name        TEXT NOT NULL,
    kind        BIGINT NOT NULL,
    sealed      BYTEA NOT NULL,
    expires_us  BIGINT NOT NULL CHECK (expires_us >= 0),
    remain      BIGINT NOT NULL CHECK (remain >= -1),
    visited     BIGINT NOT NULL,
    downloaded  BIGINT NOT NULL,
    show_view   BOOLEAN NOT NULL,
    show_readme BOOLEAN NOT NULL,
    created_us  BIGINT NOT NULL
);
CREATE INDEX shares_owner ON shares (owner, id);
