-- +goose Up

-- The same schema as PostgreSQL's, column by column; a test compares them.
-- STRICT refuses values of another type. Times are microseconds since 1970;
-- JSON is TEXT that no query looks into.

CREATE TABLE site (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row: the first id that no process has reserved.
CREATE TABLE ids (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    next INTEGER NOT NULL
) STRICT;

CREATE TABLE policies (
    id             INTEGER NOT NULL PRIMARY KEY,
    rev            INTEGER NOT NULL,
    name           TEXT NOT NULL,
    type           TEXT NOT NULL,
    config         TEXT NOT NULL,
    chunk_size     INTEGER NOT NULL CHECK (chunk_size >= 0),
    max_size       INTEGER NOT NULL CHECK (max_size >= 0),
    allowed_suffix TEXT NOT NULL,
    denied_suffix  TEXT NOT NULL,
    allowed_name   TEXT NOT NULL,
    denied_name    TEXT NOT NULL,
    encrypt        INTEGER NOT NULL,
    sync           TEXT NOT NULL,
    sha256         INTEGER NOT NULL,
    concurrency    INTEGER NOT NULL,
    relay          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX policies_name ON policies (name);

CREATE TABLE groups (
    id           INTEGER NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    permissions  INTEGER NOT NULL,
    quota        INTEGER NOT NULL CHECK (quota >= 0),
    policy       INTEGER NOT NULL REFERENCES policies (id),
    max_sessions INTEGER NOT NULL,
    max_versions INTEGER NOT NULL CHECK (max_versions >= 1)
) STRICT;
CREATE UNIQUE INDEX groups_name ON groups (name);

CREATE TABLE users (
    id         INTEGER NOT NULL PRIMARY KEY,
    email      TEXT NOT NULL,
    email_key  TEXT NOT NULL,
    nick       TEXT NOT NULL,
    password   TEXT NOT NULL,
    group_id   INTEGER NOT NULL REFERENCES groups (id),
    status     TEXT NOT NULL,
    quota      INTEGER NOT NULL CHECK (quota >= -1),
    epoch      INTEGER NOT NULL,
    language   TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    used       INTEGER NOT NULL CHECK (used >= 0),
    reserved   INTEGER NOT NULL CHECK (reserved >= 0)
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email_key);

-- parent is NULL for a root, so that the foreign key needs no sentinel row.
CREATE TABLE nodes (
    id         INTEGER NOT NULL PRIMARY KEY,
    owner      INTEGER NOT NULL REFERENCES users (id),
    parent     INTEGER REFERENCES nodes (id),
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    kind       INTEGER NOT NULL CHECK (kind IN (0, 1)),
    size       INTEGER NOT NULL CHECK (size >= 0),
    version    INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    meta       TEXT NOT NULL,
    session    TEXT NOT NULL,
    rev        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX nodes_root ON nodes (owner) WHERE parent IS NULL;
CREATE UNIQUE INDEX nodes_name ON nodes (parent, name_key);
-- One for each order of a listing; each is read forward and backward. SQLite ends
-- every index with the row id, which is id.
CREATE INDEX nodes_by_name ON nodes (parent, kind, name_key);
CREATE INDEX nodes_by_size ON nodes (parent, kind, size);
CREATE INDEX nodes_by_created ON nodes (parent, kind, created_us);
CREATE INDEX nodes_by_updated ON nodes (parent, kind, updated_us);

CREATE TABLE versions (
    id         INTEGER NOT NULL PRIMARY KEY,
    node       INTEGER NOT NULL REFERENCES nodes (id),
    owner      INTEGER NOT NULL REFERENCES users (id),
    kind       INTEGER NOT NULL,
    size       INTEGER NOT NULL CHECK (size >= 0),
    policy     INTEGER NOT NULL REFERENCES policies (id),
    blob       TEXT NOT NULL,
    crc64      INTEGER NOT NULL,
    sha256     BLOB,
    cipher     TEXT NOT NULL,
    sealed_key BLOB,
    iv         BLOB,
    created_us INTEGER NOT NULL,
    creator    INTEGER NOT NULL
) STRICT;
CREATE INDEX versions_node ON versions (node, created_us);
CREATE INDEX versions_owner ON versions (owner, size);

CREATE TABLE locks (
    node        INTEGER NOT NULL PRIMARY KEY REFERENCES nodes (id),
    token       TEXT NOT NULL,
    owner       INTEGER NOT NULL,
    application TEXT NOT NULL,
    session     TEXT NOT NULL,
    created_us  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX locks_token ON locks (token);
CREATE INDEX locks_owner ON locks (owner);

CREATE TABLE doomed (
    policy INTEGER NOT NULL,
    blob   TEXT NOT NULL,
    at_us  INTEGER NOT NULL,
    PRIMARY KEY (policy, blob)
) STRICT;
CREATE INDEX doomed_at ON doomed (at_us);

-- A session outlives its node: it answers what became of the upload.
CREATE TABLE sessions (
    id          TEXT NOT NULL PRIMARY KEY,
    owner       INTEGER NOT NULL REFERENCES users (id),
    node        INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    policy      INTEGER NOT NULL,
    policy_rev  INTEGER NOT NULL,
    uri         TEXT NOT NULL,
    size        INTEGER NOT NULL CHECK (size >= 0),
    chunk_size  INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'sealing', 'done', 'aborted', 'expired')),
    fresh       INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    mime        TEXT NOT NULL,
    meta        TEXT NOT NULL,
    blob        TEXT NOT NULL,
    vendor_id   TEXT NOT NULL,
    cipher      TEXT NOT NULL,
    sealed_key  BLOB,
    iv          BLOB,
    sealed      INTEGER NOT NULL,
    lock_token  TEXT NOT NULL,
    secret      BLOB,
    created_us  INTEGER NOT NULL,
    touched_us  INTEGER NOT NULL,
    expires_us  INTEGER NOT NULL,
    ended_us    INTEGER NOT NULL,
    end_crc64   INTEGER NOT NULL,
    end_sha256  BLOB
) STRICT;
CREATE INDEX sessions_owner ON sessions (owner, state, created_us, id);
CREATE INDEX sessions_due ON sessions (state, expires_us, id);

CREATE TABLE parts (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    start   INTEGER NOT NULL CHECK (start >= 0),
    stop    INTEGER NOT NULL,
    crc64   INTEGER NOT NULL,
    sha256  BLOB,
    at_us   INTEGER NOT NULL,
    PRIMARY KEY (session, start),
    CHECK (stop >= start)
) STRICT, WITHOUT ROWID;

CREATE TABLE families (
    id         TEXT NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    epoch      INTEGER NOT NULL,
    serial     INTEGER NOT NULL,
    rotated_us INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    agent      TEXT NOT NULL,
    revoked    INTEGER NOT NULL
) STRICT;

CREATE TABLE guesses (
    guess_key TEXT NOT NULL,
    at_us     INTEGER NOT NULL,
    hits      INTEGER NOT NULL,
    PRIMARY KEY (guess_key, at_us)
) STRICT;
CREATE INDEX guesses_at ON guesses (at_us);

INSERT INTO ids (id, next) VALUES (1, 1000);

INSERT INTO policies (id, rev, name, type, config, chunk_size, max_size, allowed_suffix, denied_suffix,
    allowed_name, denied_name, encrypt, sync, sha256, concurrency, relay)
VALUES (1, 1, 'Default storage policy', 'local', '', 26214400, 0, '', '', '', '', 0, 'answer', 0, 4, 0);

-- The permission bits are those of the wire: "/RoB", "hAg=" and "gg==".
INSERT INTO groups (id, name, permissions, quota, policy, max_sessions, max_versions) VALUES
    (1, 'Admin', 72445, 1099511627776, 1, 1000, 10),
    (2, 'User', 2180, 1099511627776, 1, 1000, 10),
    (3, 'Anonymous', 130, 1099511627776, 1, 1000, 10);
