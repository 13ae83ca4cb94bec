-- +goose Up

-- Most uploads of small files live for a moment: what is not of those that live
-- is not moved from place to place in an index when they end.
DROP INDEX sessions_owner;
DROP INDEX sessions_due;
CREATE INDEX sessions_live ON sessions (owner, created_us, id) WHERE state IN ('open', 'sealing');
CREATE INDEX sessions_expiry ON sessions (expires_us, id);
