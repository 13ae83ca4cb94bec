-- +goose Up

-- Lasting addresses of files, one a file at most. They end with it.
CREATE TABLE addresses (
    id         INTEGER NOT NULL PRIMARY KEY,
    owner      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    node       INTEGER NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    downloaded INTEGER NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX addresses_node ON addresses (node);
CREATE INDEX addresses_owner ON addresses (owner);

-- Administrators and users may make them, unless the site says otherwise later.
UPDATE groups SET permissions = permissions | 1099511627776 WHERE id IN (1, 2);
