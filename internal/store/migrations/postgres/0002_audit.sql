-- +goose Up

-- What the last look at the bytes of a version found wrong; '' while nothing is.
ALTER TABLE versions ADD COLUMN damage TEXT NOT NULL DEFAULT '';
-- From a blob back to its version, for audits.
ALTER TABLE versions ALTER COLUMN blob TYPE TEXT COLLATE "C";
CREATE INDEX versions_blob ON versions (policy, blob);

-- What went other than well in an upload. What went well is told by the session
-- and its parts.
CREATE TABLE upload_events (
    session TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq     BIGINT NOT NULL,
    at_us   BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    start   BIGINT NOT NULL,
    stop    BIGINT NOT NULL,
    reason  TEXT NOT NULL,
    note    TEXT NOT NULL,
    PRIMARY KEY (session, seq)
);
