-- name: LockOf :one
SELECT s.node, s.lock_token, s.owner, s.id, s.created_us FROM nodes n JOIN sessions s ON s.id = n.session AND s.node = n.id
WHERE n.id = sqlc.arg(node) AND s.state IN ('open', 'sealing') AND s.lock_token <> '';

-- name: LocksUnder :many
-- Climbs from the owner's uploads, which are few, instead of walking down a tree
-- that may hold millions.
WITH RECURSIVE up (held, node, depth) AS (
    SELECT s.node, s.node, CAST(0 AS BIGINT) FROM sessions s
    WHERE s.owner = sqlc.arg(owner) AND s.state IN ('open', 'sealing') AND s.lock_token <> ''
    UNION ALL
    SELECT u.held, n.parent, u.depth + 1 FROM up u JOIN nodes n ON n.id = u.node
    WHERE n.parent IS NOT NULL AND u.depth < 300
)
SELECT s.node, s.lock_token, s.owner, s.id, s.created_us FROM nodes n JOIN sessions s ON s.id = n.session AND s.node = n.id
WHERE n.id IN (SELECT u.held FROM up u WHERE u.node = CAST(sqlc.arg(node) AS BIGINT))
    AND s.state IN ('open', 'sealing') AND s.lock_token <> ''
ORDER BY s.created_us, s.node;

-- name: Lock :one
SELECT s.node, s.lock_token, s.owner, s.id, s.created_us FROM sessions s JOIN nodes n ON n.id = s.node AND n.session = s.id
WHERE s.state IN ('open', 'sealing') AND s.lock_token <> '' AND s.lock_token = sqlc.arg(token);

-- name: Unlock :exec
UPDATE sessions SET lock_token = ''
WHERE sessions.id = (SELECT n.session FROM nodes n WHERE n.id = sqlc.arg(node)) AND lock_token = sqlc.arg(token);
