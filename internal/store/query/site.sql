-- name: Site :one
SELECT value FROM site WHERE name = sqlc.arg(name);

-- name: SetSite :exec
INSERT INTO site (name, value) VALUES (sqlc.arg(name), sqlc.arg(value))
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: OfferSite :exec
INSERT INTO site (name, value) VALUES (sqlc.arg(name), sqlc.arg(value))
ON CONFLICT (name) DO NOTHING;

-- name: ReserveIDs :one
UPDATE ids SET next = next + sqlc.arg(n) WHERE id = 1 RETURNING next;

-- name: DriftedLedgers :many
SELECT u.id, u.used, u.reserved,
    CAST(COALESCE(has.bytes, 0) AS BIGINT) AS real_used,
    CAST(COALESCE((SELECT SUM(s.size) FROM sessions s
        WHERE s.owner = u.id AND s.state IN ('open', 'sealing')), 0) AS BIGINT) AS real_reserved
FROM users u
LEFT JOIN (SELECT v.owner, SUM(v.size) AS bytes FROM versions v GROUP BY v.owner) has ON has.owner = u.id
WHERE u.used <> COALESCE(has.bytes, 0)
   OR u.reserved <> COALESCE((SELECT SUM(s.size) FROM sessions s
        WHERE s.owner = u.id AND s.state IN ('open', 'sealing')), 0)
ORDER BY u.id
LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: RootlessUsers :many
SELECT u.id FROM users u
WHERE NOT EXISTS (SELECT 1 FROM nodes n WHERE n.owner = u.id AND n.parent IS NULL AND n.name_key = '')
ORDER BY u.id
LIMIT CAST(sqlc.arg(lim) AS BIGINT);
