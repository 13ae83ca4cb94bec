-- +goose Up

-- Uploads whose bytes go to a store past us: when to ask the store for each, and
-- what it said. A row goes when its session has ended.
CREATE TABLE checks (
    session  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    due_us   BIGINT NOT NULL,
    tries    BIGINT NOT NULL CHECK (tries >= 0),
    parts    BIGINT NOT NULL,
    is_whole BOOLEAN NOT NULL
);
CREATE INDEX checks_due ON checks (due_us, session);
