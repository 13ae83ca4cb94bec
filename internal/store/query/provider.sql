-- name: SetGroupPolicy :execrows
UPDATE groups SET policy = sqlc.arg(policy) WHERE LOWER(name) = LOWER(sqlc.arg(name));
