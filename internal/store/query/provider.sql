-- name: SetGroupPolicy :execrows
UPDATE groups SET policy = sqlc.arg(policy) WHERE LOWER(name) = LOWER(sqlc.arg(name));

-- name: SetVendorID :execrows
UPDATE sessions SET vendor_id = sqlc.arg(vendor_id) WHERE id = sqlc.arg(id) AND state = 'open';

-- name: AddCheck :exec
INSERT INTO checks (session, due_us, tries, parts, is_whole) VALUES (sqlc.arg(session), sqlc.arg(due_us), 0, 0, FALSE);

-- name: DueChecks :many
SELECT * FROM checks WHERE due_us <= sqlc.arg(before_us) ORDER BY due_us, session LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: SetCheck :exec
UPDATE checks SET due_us = sqlc.arg(due_us), tries = sqlc.arg(tries), parts = sqlc.arg(parts), is_whole = sqlc.arg(is_whole)
WHERE session = sqlc.arg(session);

-- name: DropCheck :exec
DELETE FROM checks WHERE session = sqlc.arg(session);
