-- name: AddShare :exec
INSERT INTO shares (id, owner, node, name, kind, sealed, expires_us, remain, visited, downloaded, show_view, show_readme, created_us)
VALUES (sqlc.arg(id), sqlc.arg(owner), sqlc.arg(node), sqlc.arg(name), sqlc.arg(kind), sqlc.arg(sealed), sqlc.arg(expires_us),
    sqlc.arg(remain), 0, 0, sqlc.arg(show_view), sqlc.arg(show_readme), sqlc.arg(created_us));

-- name: Share :one
SELECT * FROM shares WHERE id = sqlc.arg(id);

-- name: UpdateShare :execrows
UPDATE shares SET sealed = sqlc.arg(sealed), expires_us = sqlc.arg(expires_us), remain = sqlc.arg(remain),
    show_view = sqlc.arg(show_view), show_readme = sqlc.arg(show_readme)
WHERE id = sqlc.arg(id) AND owner = sqlc.arg(owner);

-- name: RemoveShare :execrows
DELETE FROM shares WHERE id = sqlc.arg(id) AND owner = sqlc.arg(owner);

-- name: SharesUp :many
SELECT * FROM shares WHERE owner = sqlc.arg(owner) AND id > sqlc.arg(after) ORDER BY id LIMIT sqlc.arg(most);

-- name: SharesDown :many
SELECT * FROM shares WHERE owner = sqlc.arg(owner) AND id < sqlc.arg(after) ORDER BY id DESC LIMIT sqlc.arg(most);

-- name: VisitShare :exec
UPDATE shares SET visited = visited + 1 WHERE id = sqlc.arg(id);

-- name: TakeShare :execrows
-- The condition and the count are one statement: of many at once no more succeed
-- than remain.
UPDATE shares SET downloaded = downloaded + 1, remain = CASE WHEN remain > 0 THEN remain - 1 ELSE remain END
WHERE id = sqlc.arg(id) AND remain <> 0 AND (expires_us = 0 OR expires_us > sqlc.arg(now_us));

-- name: SharesByUp :many
-- A page in the order of a count or of the time of expiry, which no index knows: all
-- of one owner's are sorted. What never expires is last.
SELECT s.* FROM shares s JOIN (
    SELECT mine.id, CASE CAST(sqlc.arg(by) AS BIGINT) WHEN 1 THEN visited WHEN 2 THEN downloaded
        WHEN 3 THEN CASE expires_us WHEN 0 THEN 9223372036854775807 ELSE expires_us END ELSE 0 END AS rank
    FROM shares mine WHERE mine.owner = sqlc.arg(owner)
) r ON r.id = s.id
WHERE CAST(sqlc.arg(after) AS BIGINT) = 0 OR r.rank > CAST(sqlc.arg(rank) AS BIGINT)
    OR r.rank = CAST(sqlc.arg(rank) AS BIGINT) AND s.id > CAST(sqlc.arg(after) AS BIGINT)
ORDER BY r.rank, s.id LIMIT sqlc.arg(most);

-- name: SharesByDown :many
SELECT s.* FROM shares s JOIN (
    SELECT mine.id, CASE CAST(sqlc.arg(by) AS BIGINT) WHEN 1 THEN visited WHEN 2 THEN downloaded
        WHEN 3 THEN CASE expires_us WHEN 0 THEN 9223372036854775807 ELSE expires_us END ELSE 0 END AS rank
    FROM shares mine WHERE mine.owner = sqlc.arg(owner)
) r ON r.id = s.id
WHERE CAST(sqlc.arg(after) AS BIGINT) = 0 OR r.rank < CAST(sqlc.arg(rank) AS BIGINT)
    OR r.rank = CAST(sqlc.arg(rank) AS BIGINT) AND s.id < CAST(sqlc.arg(after) AS BIGINT)
ORDER BY r.rank DESC, s.id DESC LIMIT sqlc.arg(most);
