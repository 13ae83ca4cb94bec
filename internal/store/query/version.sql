-- name: DamagedIn :many
-- From the damaged versions, which are few, to the folder; CROSS keeps the order.
SELECT n.id FROM versions v CROSS JOIN nodes n
WHERE v.damage <> '' AND v.owner = sqlc.arg(owner) AND n.id = v.node AND n.version = v.id AND n.parent = CAST(sqlc.arg(folder) AS BIGINT);

-- name: AddVersion :exec
INSERT INTO versions (id, node, owner, kind, size, policy, blob, crc64, sha256, cipher, sealed_key, iv, created_us, creator,
    damage)
VALUES (sqlc.arg(id), sqlc.arg(node), sqlc.arg(owner), sqlc.arg(kind), sqlc.arg(size), sqlc.arg(policy), sqlc.arg(blob),
    sqlc.arg(crc64), sqlc.arg(sha256), sqlc.arg(cipher), sqlc.arg(sealed_key), sqlc.arg(iv), sqlc.arg(created_us),
    sqlc.arg(creator), sqlc.arg(damage));

-- name: Version :one
SELECT * FROM versions WHERE id = sqlc.arg(id);

-- name: VersionsOf :many
SELECT * FROM versions WHERE node = sqlc.arg(node) ORDER BY created_us DESC, id DESC;

-- name: DropVersion :one
DELETE FROM versions WHERE id = sqlc.arg(id) RETURNING owner, size, policy, blob;

-- name: DoomedBefore :many
SELECT * FROM doomed WHERE at_us < sqlc.arg(before_us) ORDER BY at_us LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: DoomedOf :many
SELECT * FROM doomed WHERE policy = sqlc.arg(policy) AND at_us < sqlc.arg(before_us) ORDER BY blob LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: Forget :exec
DELETE FROM doomed WHERE policy = sqlc.arg(policy) AND blob = sqlc.arg(blob);

-- name: VersionsInPack :many
-- A pack is a range of keys: those behind its key and a slash.
-- Of copies, which share a blob, one stands for all.
SELECT * FROM versions v WHERE v.policy = sqlc.arg(policy) AND v.blob > sqlc.arg(after) AND v.blob < sqlc.arg(upto)
  AND NOT EXISTS (SELECT 1 FROM versions w WHERE w.policy = v.policy AND w.blob = v.blob AND w.id < v.id)
ORDER BY v.blob LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: UsedOfPack :one
SELECT COUNT(*) AS objects, CAST(COALESCE(SUM(b.size), 0) AS BIGINT) AS bytes FROM (
    SELECT DISTINCT v.blob, v.size FROM versions v
    WHERE v.policy = sqlc.arg(policy) AND v.blob > sqlc.arg(pack) AND v.blob < sqlc.arg(upto)) b;

-- name: DoomedInPack :one
SELECT COUNT(*) FROM doomed WHERE policy = sqlc.arg(policy) AND blob > sqlc.arg(pack) AND blob < sqlc.arg(upto);

-- name: MoveBlob :many
-- With its copies, as long as the version itself still has the blob.
UPDATE versions SET blob = sqlc.arg(now)
WHERE versions.blob = sqlc.arg(was) AND versions.policy = (SELECT v.policy FROM versions v WHERE v.id = sqlc.arg(id) AND v.blob = sqlc.arg(was))
RETURNING policy;

-- name: HoldVersions :many
-- Writes what is there already: until the transaction ends nobody drops them.
UPDATE versions SET creator = creator WHERE node = sqlc.arg(node) RETURNING *;
