-- name: AddFamily :exec
INSERT INTO families (id, user_id, epoch, serial, rotated_us, created_us, expires_us, agent, revoked, addr)
VALUES (sqlc.arg(id), sqlc.arg(user_id), sqlc.arg(epoch), sqlc.arg(serial), sqlc.arg(rotated_us), sqlc.arg(created_us),
    sqlc.arg(expires_us), sqlc.arg(agent), sqlc.arg(revoked), sqlc.arg(addr));

-- name: Family :one
SELECT * FROM families WHERE id = sqlc.arg(id);

-- name: Rotate :execrows
UPDATE families SET serial = serial + 1, rotated_us = sqlc.arg(rotated_us), expires_us = sqlc.arg(expires_us)
WHERE id = sqlc.arg(id) AND serial = sqlc.arg(serial) AND NOT revoked;

-- name: Revoke :exec
UPDATE families SET revoked = TRUE WHERE id = sqlc.arg(id);

-- name: CountFailure :exec
INSERT INTO guesses (guess_key, at_us, hits) VALUES (sqlc.arg(guess_key), sqlc.arg(at_us), 1)
ON CONFLICT (guess_key, at_us) DO UPDATE SET hits = guesses.hits + 1;

-- name: Failures :one
SELECT CAST(COALESCE(SUM(hits), 0) AS BIGINT) FROM guesses
WHERE guess_key = sqlc.arg(guess_key) AND at_us >= sqlc.arg(since_us);

-- name: ForgetFailures :exec
DELETE FROM guesses WHERE at_us < sqlc.arg(before_us);

-- name: Cleared :exec
DELETE FROM guesses WHERE guess_key = sqlc.arg(guess_key);
