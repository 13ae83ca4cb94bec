-- +goose Up

-- Work behind the answers. due_us is when the next runner may take a job; while one
-- works it is when that counts as dead. ended_us is 0 until the end.
CREATE TABLE jobs (
    id          INTEGER NOT NULL PRIMARY KEY,
    owner       INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    args        TEXT NOT NULL,
    source      TEXT NOT NULL,
    target      TEXT NOT NULL,
    state       TEXT NOT NULL,
    is_stopping INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    note        TEXT NOT NULL,
    holder      TEXT NOT NULL,
    due_us      INTEGER NOT NULL,
    ended_us    INTEGER NOT NULL,
    created_us  INTEGER NOT NULL,
    updated_us  INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_due ON jobs (due_us, id) WHERE ended_us = 0;
CREATE INDEX jobs_busy ON jobs (owner, due_us) WHERE state = 'processing';
CREATE INDEX jobs_ended ON jobs (ended_us) WHERE ended_us > 0;
