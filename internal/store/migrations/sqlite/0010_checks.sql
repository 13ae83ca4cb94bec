-- +goose Up

-- Uploads whose bytes go to a store past us: when to ask the store for each, and
-- what it said. A row goes when its session has ended.
CREATE TABLE checks (
    session  TEXT NOT NULL PRIMARY KEY,
    due_us   INTEGER NOT NULL,
    tries    INTEGER NOT NULL CHECK (tries >= 0),
    parts    INTEGER NOT NULL,
    is_whole INTEGER NOT NULL
) STRICT;
CREATE INDEX checks_due ON checks (due_us, session);
