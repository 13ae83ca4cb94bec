-- +goose Up

-- Codes in place of those of an app, hashed. One that was used is not there any
-- more, and none is left without the second factor.
CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    hash    BLOB NOT NULL,
    PRIMARY KEY (user_id, hash)
) STRICT;
