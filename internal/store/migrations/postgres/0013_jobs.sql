-- +goose Up

-- Work behind the answers. due_us is when the next runner may take a job; while one
-- works it is when that counts as dead. ended_us is 0 until the end.
CREATE TABLE jobs (
    id          BIGINT NOT NULL PRIMARY KEY,
    owner       BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    args        TEXT NOT NULL,
    source      TEXT NOT NULL,
    target      TEXT NOT NULL,
    state       TEXT NOT NULL,
    is_stopping BOOLEAN NOT NULL,
    done        BIGINT NOT NULL,
    total       BIGINT NOT NULL,
    tries       BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    note        TEXT NOT NULL,
    holder      TEXT NOT NULL,
    due_us      BIGINT NOT NULL,
    ended_us    BIGINT NOT NULL,
    created_us  BIGINT NOT NULL,
    updated_us  BIGINT NOT NULL
);
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_due ON jobs (due_us, id) WHERE ended_us = 0;
CREATE INDEX jobs_busy ON jobs (owner, due_us) WHERE state = 'processing';
CREATE INDEX jobs_ended ON jobs (ended_us) WHERE ended_us > 0;
