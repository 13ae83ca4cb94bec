-- name: SetGroupPolicy :execrows
UPDATE groups SET policy = sqlc.arg(policy) WHERE LOWER(name) = LOWER(sqlc.arg(name));

-- name: SetVendorID :execrows
UPDATE sessions SET vendor_id = sqlc.arg(vendor_id) WHERE id = sqlc.arg(id) AND state = 'open';

-- name: AddCheck :exec
INSERT INTO checks (session, due_us, tries, parts, is_whole) VALUES (sqlc.arg(session), sqlc.arg(due_us), 0, 0, FALSE);

-- name: DueChecks :many
-- A check whose session was forgotten is every policy's.
SELECT sqlc.embed(c) FROM checks c LEFT JOIN sessions s ON s.id = c.session
WHERE c.due_us <= sqlc.arg(before_us) AND (s.policy = sqlc.arg(policy) OR s.id IS NULL)
ORDER BY c.due_us, c.session LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: SetCheck :exec
UPDATE checks SET due_us = sqlc.arg(due_us), tries = sqlc.arg(tries), parts = sqlc.arg(parts), is_whole = sqlc.arg(is_whole)
WHERE session = sqlc.arg(session);

-- name: DropCheck :exec
DELETE FROM checks WHERE session = sqlc.arg(session);
