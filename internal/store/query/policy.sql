-- name: Policy :one
SELECT * FROM policies WHERE id = sqlc.arg(id);

-- name: PolicyByName :one
SELECT * FROM policies WHERE name = sqlc.arg(name);

-- name: Policies :many
SELECT * FROM policies ORDER BY id;

-- name: AddPolicy :execrows
INSERT INTO policies (id, rev, name, type, config, chunk_size, max_size, allowed_suffix, denied_suffix, allowed_name,
    denied_name, encrypt, sync, sha256, concurrency, relay)
VALUES (sqlc.arg(id), 1, sqlc.arg(name), sqlc.arg(type), sqlc.arg(config), sqlc.arg(chunk_size), sqlc.arg(max_size),
    sqlc.arg(allowed_suffix), sqlc.arg(denied_suffix), sqlc.arg(allowed_name), sqlc.arg(denied_name),
    sqlc.arg(encrypt), sqlc.arg(sync), sqlc.arg(sha256), sqlc.arg(concurrency), sqlc.arg(relay))
ON CONFLICT DO NOTHING;

-- name: UpdatePolicy :execrows
UPDATE policies SET rev = rev + 1, name = sqlc.arg(name), type = sqlc.arg(type), config = sqlc.arg(config),
    chunk_size = sqlc.arg(chunk_size), max_size = sqlc.arg(max_size), allowed_suffix = sqlc.arg(allowed_suffix),
    denied_suffix = sqlc.arg(denied_suffix), allowed_name = sqlc.arg(allowed_name), denied_name = sqlc.arg(denied_name),
    encrypt = sqlc.arg(encrypt), sync = sqlc.arg(sync), sha256 = sqlc.arg(sha256), concurrency = sqlc.arg(concurrency),
    relay = sqlc.arg(relay)
WHERE policies.id = sqlc.arg(id) AND policies.rev = sqlc.arg(was)
  AND NOT EXISTS (SELECT 1 FROM policies o WHERE o.name = sqlc.arg(name) AND o.id <> sqlc.arg(id));
