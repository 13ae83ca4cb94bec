-- name: Capacity :one
SELECT CAST(CASE WHEN u.quota >= 0 THEN u.quota ELSE g.quota END AS BIGINT) AS total, u.used, u.reserved
FROM users u JOIN groups g ON g.id = u.group_id
WHERE u.id = sqlc.arg(id);

-- name: Reserve :execrows
-- No bytes always fit: a user over a lowered quota may still make empty files.
UPDATE users SET reserved = reserved + sqlc.arg(n)
WHERE users.id = sqlc.arg(id) AND (CAST(sqlc.arg(n) AS BIGINT) = 0 OR used + reserved <=
    (CASE WHEN users.quota >= 0 THEN users.quota ELSE (SELECT g.quota FROM groups g WHERE g.id = users.group_id) END)
    - CAST(sqlc.arg(n) AS BIGINT));

-- name: Release :execrows
UPDATE users SET reserved = reserved - sqlc.arg(n) WHERE id = sqlc.arg(id) AND reserved >= sqlc.arg(n);

-- name: Settle :execrows
UPDATE users SET reserved = reserved - sqlc.arg(n), used = used + sqlc.arg(n)
WHERE id = sqlc.arg(id) AND reserved >= sqlc.arg(n);

-- name: Unuse :execrows
UPDATE users SET used = used - sqlc.arg(n) WHERE id = sqlc.arg(id) AND used >= sqlc.arg(n);

-- name: Recount :one
SELECT CAST(CASE WHEN u.quota >= 0 THEN u.quota ELSE g.quota END AS BIGINT) AS total,
    CAST(COALESCE((SELECT SUM(v.size) FROM versions v WHERE v.owner = u.id), 0) AS BIGINT) AS used,
    CAST(COALESCE((SELECT SUM(s.size) FROM sessions s
        WHERE s.owner = u.id AND s.state IN ('open', 'sealing')), 0) AS BIGINT) AS reserved
FROM users u JOIN groups g ON g.id = u.group_id
WHERE u.id = sqlc.arg(id);
