-- name: HiddenRoot :one
SELECT * FROM nodes WHERE owner = sqlc.arg(owner) AND parent IS NULL AND name_key = CAST(sqlc.arg(name_key) AS TEXT);

-- name: InsertHiddenRoot :execrows
INSERT INTO nodes (id, owner, parent, name, name_key, kind, size, version, created_us, updated_us, meta, session, rev)
VALUES (sqlc.arg(id), sqlc.arg(owner), NULL, sqlc.arg(name_key), sqlc.arg(name_key), 1, 0, 0, sqlc.arg(created_us),
    sqlc.arg(created_us), '', '', 1)
ON CONFLICT DO NOTHING;

-- name: AddTrashed :exec
INSERT INTO trash (node, token, due_us) VALUES (sqlc.arg(node), sqlc.arg(token), sqlc.arg(due_us));

-- name: Trashed :one
SELECT n.* FROM trash t JOIN nodes n ON n.id = t.node WHERE t.token = sqlc.arg(token);

-- name: DropTrashed :exec
DELETE FROM trash WHERE node = sqlc.arg(node);

-- name: DueTrash :many
SELECT n.* FROM trash t JOIN nodes n ON n.id = t.node WHERE t.due_us <= sqlc.arg(before_us)
ORDER BY t.due_us LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: FoldersBelow :one
-- How deep folders lie below a folder.
WITH RECURSIVE below (id, depth) AS (
    SELECT n.id, CAST(0 AS BIGINT) FROM nodes n WHERE n.id = sqlc.arg(id)
    UNION ALL
    SELECT c.id, b.depth + 1 FROM below b JOIN nodes c ON c.parent = b.id AND c.kind = 1 WHERE b.depth < 300
)
SELECT CAST(COALESCE(MAX(depth), 0) AS BIGINT) AS depth FROM below;

-- name: CountChildren :one
SELECT COUNT(*) FROM nodes WHERE parent = CAST(sqlc.arg(parent) AS BIGINT);

-- name: CountKind :one
SELECT COUNT(*) FROM nodes WHERE parent = CAST(sqlc.arg(parent) AS BIGINT) AND kind = sqlc.arg(kind);
