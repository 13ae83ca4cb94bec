-- name: Admit :execrows
-- Is Reserve, unless the user has as many uploads under way as may be.
UPDATE users SET reserved = reserved + sqlc.arg(n)
WHERE users.id = sqlc.arg(id) AND (CAST(sqlc.arg(n) AS BIGINT) = 0 OR used + reserved <=
    (CASE WHEN users.quota >= 0 THEN users.quota ELSE (SELECT g.quota FROM groups g WHERE g.id = users.group_id) END)
    - CAST(sqlc.arg(n) AS BIGINT))
    AND (SELECT COUNT(*) FROM sessions s WHERE s.owner = users.id AND s.state IN ('open', 'sealing')) < CAST(sqlc.arg(most) AS BIGINT);

-- name: FinishSession :execrows
UPDATE sessions SET state = 'done', received = size, touched_us = sqlc.arg(at_us), ended_us = sqlc.arg(at_us),
    end_crc64 = sqlc.arg(end_crc64), end_sha256 = sqlc.arg(end_sha256)
WHERE id = sqlc.arg(id) AND state = 'open' AND received = 0 AND lock_token <> '';

-- name: ShowNode :execrows
UPDATE nodes SET version = sqlc.arg(version), size = sqlc.arg(size), updated_us = sqlc.arg(updated_us), session = '',
    rev = rev + 1
WHERE id = sqlc.arg(id) AND session = sqlc.arg(session);
