-- name: Address :one
SELECT * FROM addresses WHERE id = sqlc.arg(id);

-- name: AddressOf :one
SELECT * FROM addresses WHERE node = sqlc.arg(node);

-- name: AddAddress :exec
INSERT INTO addresses (id, owner, node, downloaded, created_us)
VALUES (sqlc.arg(id), sqlc.arg(owner), sqlc.arg(node), 0, sqlc.arg(created_us))
ON CONFLICT (node) DO NOTHING;

-- name: RemoveAddress :execrows
DELETE FROM addresses WHERE id = sqlc.arg(id) AND owner = sqlc.arg(owner);

-- name: CountAddress :exec
UPDATE addresses SET downloaded = downloaded + 1 WHERE id = sqlc.arg(id);
