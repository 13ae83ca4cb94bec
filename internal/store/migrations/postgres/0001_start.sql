-- +goose Up

-- Keys that are compared or sorted are COLLATE "C": bytes, as SQLite's BINARY.
-- Times are microseconds since 1970; JSON is TEXT that no query looks into.

CREATE TABLE site (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row: the first id that no process has reserved.
CREATE TABLE ids (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    next BIGINT NOT NULL
);

CREATE TABLE policies (
    id             BIGINT NOT NULL PRIMARY KEY,
    rev            BIGINT NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    type           TEXT NOT NULL,
    config         TEXT NOT NULL,
    chunk_size     BIGINT NOT NULL CHECK (chunk_size >= 0),
    max_size       BIGINT NOT NULL CHECK (max_size >= 0),
    allowed_suffix TEXT NOT NULL,
    denied_suffix  TEXT NOT NULL,
    allowed_name   TEXT NOT NULL,
    denied_name    TEXT NOT NULL,
    encrypt        BOOLEAN NOT NULL,
    sync           TEXT NOT NULL,
    sha256         BOOLEAN NOT NULL,
    concurrency    BIGINT NOT NULL,
    relay          BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX policies_name ON policies (name);

CREATE TABLE groups (
    id           BIGINT NOT NULL PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    permissions  BIGINT NOT NULL,
    quota        BIGINT NOT NULL CHECK (quota >= 0),
    policy       BIGINT NOT NULL REFERENCES policies (id),
    max_sessions BIGINT NOT NULL,
    max_versions BIGINT NOT NULL CHECK (max_versions >= 1)
);
CREATE UNIQUE INDEX groups_name ON groups (name);

CREATE TABLE users (
    id         BIGINT NOT NULL PRIMARY KEY,
    email      TEXT NOT NULL,
    email_key  TEXT COLLATE "C" NOT NULL,
    nick       TEXT NOT NULL,
    password   TEXT NOT NULL,
    group_id   BIGINT NOT NULL REFERENCES groups (id),
    status     TEXT NOT NULL,
    quota      BIGINT NOT NULL CHECK (quota >= -1),
    epoch      BIGINT NOT NULL,
    language   TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    used       BIGINT NOT NULL CHECK (used >= 0),
    reserved   BIGINT NOT NULL CHECK (reserved >= 0)
);
CREATE UNIQUE INDEX users_email ON users (email_key);

-- parent is NULL for a root, so that the foreign key needs no sentinel row.
CREATE TABLE nodes (
    id         BIGINT NOT NULL PRIMARY KEY,
    owner      BIGINT NOT NULL REFERENCES users (id),
    parent     BIGINT REFERENCES nodes (id),
    name       TEXT NOT NULL,
    name_key   TEXT COLLATE "C" NOT NULL,
    kind       BIGINT NOT NULL CHECK (kind IN (0, 1)),
    size       BIGINT NOT NULL CHECK (size >= 0),
    version    BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    meta       TEXT NOT NULL,
    session    TEXT NOT NULL,
    rev        BIGINT NOT NULL
);
CREATE UNIQUE INDEX nodes_root ON nodes (owner) WHERE parent IS NULL;
CREATE UNIQUE INDEX nodes_name ON nodes (parent, name_key);
-- One for each order of a listing; each is read forward and backward.
CREATE INDEX nodes_by_name ON nodes (parent, kind, name_key, id);
CREATE INDEX nodes_by_size ON nodes (parent, kind, size, id);
CREATE INDEX nodes_by_created ON nodes (parent, kind, created_us, id);
CREATE INDEX nodes_by_updated ON nodes (parent, kind, updated_us, id);

CREATE TABLE versions (
    id         BIGINT NOT NULL PRIMARY KEY,
    node       BIGINT NOT NULL REFERENCES nodes (id),
    owner      BIGINT NOT NULL REFERENCES users (id),
    kind       BIGINT NOT NULL,
    size       BIGINT NOT NULL CHECK (size >= 0),
    policy     BIGINT NOT NULL REFERENCES policies (id),
    blob       TEXT NOT NULL,
    crc64      BIGINT NOT NULL,
    sha256     BYTEA,
    cipher     TEXT NOT NULL,
    sealed_key BYTEA,
    iv         BYTEA,
    created_us BIGINT NOT NULL,
    creator    BIGINT NOT NULL
);
CREATE INDEX versions_node ON versions (node, created_us, id);
CREATE INDEX versions_owner ON versions (owner, size);

CREATE TABLE locks (
    node        BIGINT NOT NULL PRIMARY KEY REFERENCES nodes (id),
    token       TEXT COLLATE "C" NOT NULL,
    owner       BIGINT NOT NULL,
    application TEXT NOT NULL,
    session     TEXT NOT NULL,
    created_us  BIGINT NOT NULL
);
CREATE UNIQUE INDEX locks_token ON locks (token);
CREATE INDEX locks_owner ON locks (owner);

CREATE TABLE doomed (
    policy BIGINT NOT NULL,
    blob   TEXT COLLATE "C" NOT NULL,
    at_us  BIGINT NOT NULL,
    PRIMARY KEY (policy, blob)
);
CREATE INDEX doomed_at ON doomed (at_us);

-- A session outlives its node: it answers what became of the upload.
CREATE TABLE sessions (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner       BIGINT NOT NULL REFERENCES users (id),
    node        BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    policy      BIGINT NOT NULL,
    policy_rev  BIGINT NOT NULL,
    uri         TEXT NOT NULL,
    size        BIGINT NOT NULL CHECK (size >= 0),
    chunk_size  BIGINT NOT NULL,
    received    BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'sealing', 'done', 'aborted', 'expired')),
    fresh       BOOLEAN NOT NULL,
    kind        BIGINT NOT NULL,
    modified_us BIGINT NOT NULL,
    mime        TEXT NOT NULL,
    meta        TEXT NOT NULL,
    blob        TEXT NOT NULL,
    vendor_id   TEXT NOT NULL,
    cipher      TEXT NOT NULL,
    sealed_key  BYTEA,
    iv          BYTEA,
    sealed      BOOLEAN NOT NULL,
    lock_token  TEXT COLLATE "C" NOT NULL,
    secret      BYTEA,
    created_us  BIGINT NOT NULL,
    touched_us  BIGINT NOT NULL,
    expires_us  BIGINT NOT NULL,
    ended_us    BIGINT NOT NULL,
    end_crc64   BIGINT NOT NULL,
    end_sha256  BYTEA
);
CREATE INDEX sessions_owner ON sessions (owner, state, created_us, id);
CREATE INDEX sessions_due ON sessions (state, expires_us, id);

CREATE TABLE parts (
    session TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    start   BIGINT NOT NULL CHECK (start >= 0),
    stop    BIGINT NOT NULL,
    crc64   BIGINT NOT NULL,
    sha256  BYTEA,
    at_us   BIGINT NOT NULL,
    PRIMARY KEY (session, start),
    CHECK (stop >= start)
);

CREATE TABLE families (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    epoch      BIGINT NOT NULL,
    serial     BIGINT NOT NULL,
    rotated_us BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    agent      TEXT NOT NULL,
    revoked    BOOLEAN NOT NULL
);

CREATE TABLE guesses (
    guess_key TEXT COLLATE "C" NOT NULL,
    at_us     BIGINT NOT NULL,
    hits      BIGINT NOT NULL,
    PRIMARY KEY (guess_key, at_us)
);
CREATE INDEX guesses_at ON guesses (at_us);

INSERT INTO ids (id, next) VALUES (1, 1000);

INSERT INTO policies (id, rev, name, type, config, chunk_size, max_size, allowed_suffix, denied_suffix,
    allowed_name, denied_name, encrypt, sync, sha256, concurrency, relay)
VALUES (1, 1, 'Default storage policy', 'local', '', 26214400, 0, '', '', '', '', FALSE, 'answer', FALSE, 4, FALSE);

-- The permission bits are those of the wire: "/RoB", "hAg=" and "gg==".
INSERT INTO groups (id, name, permissions, quota, policy, max_sessions, max_versions) VALUES
    (1, 'Admin', 72445, 1099511627776, 1, 1000, 10),
    (2, 'User', 2180, 1099511627776, 1, 1000, 10),
    (3, 'Anonymous', 130, 1099511627776, 1, 1000, 10);
