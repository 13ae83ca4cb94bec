-- name: AddLock :execrows
INSERT INTO locks (node, token, owner, application, session, created_us)
VALUES (sqlc.arg(node), sqlc.arg(token), sqlc.arg(owner), sqlc.arg(application), sqlc.arg(session), sqlc.arg(created_us))
ON CONFLICT (node) DO NOTHING;

-- name: LockOf :one
SELECT * FROM locks WHERE node = sqlc.arg(node);

-- name: LocksUnder :many
-- Climbs from the owner's locks, which are few, instead of walking down a tree
-- that may hold millions.
WITH RECURSIVE up (held, node, depth) AS (
    SELECT l.node, l.node, CAST(0 AS BIGINT) FROM locks l WHERE l.owner = sqlc.arg(owner)
    UNION ALL
    SELECT u.held, n.parent, u.depth + 1 FROM up u JOIN nodes n ON n.id = u.node
    WHERE n.parent IS NOT NULL AND u.depth < 300
)
SELECT l.* FROM locks l
WHERE l.node IN (SELECT u.held FROM up u WHERE u.node = CAST(sqlc.arg(node) AS BIGINT))
ORDER BY l.created_us, l.node;

-- name: Lock :one
SELECT * FROM locks WHERE token = sqlc.arg(token);

-- name: Unlock :execrows
DELETE FROM locks WHERE node = sqlc.arg(node) AND token = sqlc.arg(token);
