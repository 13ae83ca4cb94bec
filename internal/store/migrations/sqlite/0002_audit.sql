-- +goose Up

-- What the last look at the bytes of a version found wrong; '' while nothing is.
ALTER TABLE versions ADD COLUMN damage TEXT NOT NULL DEFAULT '';
-- From a blob back to its version, for audits.
CREATE INDEX versions_blob ON versions (policy, blob);

-- What went other than well in an upload. What went well is told by the session
-- and its parts.
CREATE TABLE upload_events (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    at_us   INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    start   INTEGER NOT NULL,
    stop    INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    note    TEXT NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;
