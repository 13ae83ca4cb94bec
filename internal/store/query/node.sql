-- name: Node :one
SELECT * FROM nodes WHERE id = sqlc.arg(id);

-- name: Root :one
SELECT * FROM nodes WHERE owner = sqlc.arg(owner) AND parent IS NULL AND name_key = '';

-- name: Child :one
SELECT * FROM nodes WHERE parent = sqlc.arg(parent) AND name_key = sqlc.arg(name_key);

-- name: InsertRoot :execrows
INSERT INTO nodes (id, owner, parent, name, name_key, kind, size, version, created_us, updated_us, meta, session, rev)
VALUES (sqlc.arg(id), sqlc.arg(owner), NULL, '', '', 1, 0, 0, sqlc.arg(created_us), sqlc.arg(created_us), '', '', 1)
ON CONFLICT DO NOTHING;

-- name: InsertNode :execrows
-- Only below a folder of the same owner; a taken name is no error of the
-- statement, so that the transaction around it goes on.
INSERT INTO nodes (id, owner, parent, name, name_key, kind, size, version, created_us, updated_us, meta, session, rev)
SELECT CAST(sqlc.arg(id) AS BIGINT), p.owner, p.id, CAST(sqlc.arg(name) AS TEXT), CAST(sqlc.arg(name_key) AS TEXT),
    CAST(sqlc.arg(kind) AS BIGINT), CAST(sqlc.arg(size) AS BIGINT), CAST(sqlc.arg(version) AS BIGINT),
    CAST(sqlc.arg(created_us) AS BIGINT), CAST(sqlc.arg(updated_us) AS BIGINT), CAST(sqlc.arg(meta) AS TEXT),
    CAST(sqlc.arg(session) AS TEXT), 1
FROM nodes p
WHERE p.id = sqlc.arg(parent) AND p.owner = sqlc.arg(owner) AND p.kind = 1
ON CONFLICT (parent, name_key) DO NOTHING;

-- name: UpdateNode :execrows
UPDATE nodes SET parent = sqlc.narg(parent), name = sqlc.arg(name), name_key = sqlc.arg(name_key),
    kind = sqlc.arg(kind), size = sqlc.arg(size), version = sqlc.arg(version),
    created_us = sqlc.arg(created_us), updated_us = sqlc.arg(updated_us), meta = sqlc.arg(meta),
    session = sqlc.arg(session), rev = rev + 1
WHERE nodes.id = sqlc.arg(id) AND nodes.rev = sqlc.arg(was)
  AND NOT EXISTS (SELECT 1 FROM nodes o
      WHERE o.parent = sqlc.narg(parent) AND o.name_key = sqlc.arg(name_key) AND o.id <> sqlc.arg(id));

-- name: Summary :one
-- The depth bounds the walk even if a defect ever made a folder lie in itself.
WITH RECURSIVE below (id, kind, size, depth) AS (
    SELECT n.id, n.kind, n.size, CAST(0 AS BIGINT) FROM nodes n WHERE n.id = sqlc.arg(id)
    UNION ALL
    SELECT c.id, c.kind, c.size, b.depth + 1 FROM below b JOIN nodes c ON c.parent = b.id WHERE b.depth < 300
)
SELECT CAST(COUNT(*) AS BIGINT) AS nodes,
    CAST(COALESCE(SUM(CASE WHEN depth > 0 AND kind = 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS files,
    CAST(COALESCE(SUM(CASE WHEN depth > 0 AND kind = 1 THEN 1 ELSE 0 END), 0) AS BIGINT) AS folders,
    CAST(COALESCE(SUM(CASE WHEN depth > 0 THEN size ELSE 0 END), 0) AS BIGINT) AS bytes
FROM below;

-- name: ChildKinds :many
-- Some of what is in a folder, in no order.
SELECT n.id, n.kind FROM nodes n WHERE n.parent = sqlc.narg(parent) LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: RemoveVersionsBelow :many
WITH RECURSIVE below (id, depth) AS (
    SELECT n.id, CAST(0 AS BIGINT) FROM nodes n WHERE n.id = sqlc.arg(id)
    UNION ALL
    SELECT c.id, b.depth + 1 FROM below b JOIN nodes c ON c.parent = b.id WHERE b.depth < 300
)
DELETE FROM versions WHERE node IN (SELECT below.id FROM below)
RETURNING owner, size, policy, blob;

-- name: RemoveNodesBelow :execrows
WITH RECURSIVE below (id, depth) AS (
    SELECT n.id, CAST(0 AS BIGINT) FROM nodes n WHERE n.id = sqlc.arg(id)
    UNION ALL
    SELECT c.id, b.depth + 1 FROM below b JOIN nodes c ON c.parent = b.id WHERE b.depth < 300
)
DELETE FROM nodes WHERE id IN (SELECT below.id FROM below);
