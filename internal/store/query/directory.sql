-- name: User :one
SELECT * FROM users WHERE id = sqlc.arg(id);

-- name: UserByEmail :one
SELECT * FROM users WHERE email_key = sqlc.arg(email_key);

-- name: Users :many
SELECT * FROM users WHERE id > sqlc.arg(after) ORDER BY id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: AddUser :execrows
INSERT INTO users (id, email, email_key, nick, password, group_id, status, quota, epoch, language, created_us, used, reserved)
VALUES (sqlc.arg(id), sqlc.arg(email), sqlc.arg(email_key), sqlc.arg(nick), sqlc.arg(password), sqlc.arg(group_id),
    sqlc.arg(status), sqlc.arg(quota), sqlc.arg(epoch), sqlc.arg(language), sqlc.arg(created_us), 0, 0)
ON CONFLICT (email_key) DO NOTHING;

-- name: UpdateUser :execrows
UPDATE users SET email = sqlc.arg(email), email_key = sqlc.arg(email_key), nick = sqlc.arg(nick),
    password = sqlc.arg(password), group_id = sqlc.arg(group_id), status = sqlc.arg(status), quota = sqlc.arg(quota),
    epoch = sqlc.arg(epoch), language = sqlc.arg(language), created_us = sqlc.arg(created_us)
WHERE users.id = sqlc.arg(id)
  AND NOT EXISTS (SELECT 1 FROM users o WHERE o.email_key = sqlc.arg(email_key) AND o.id <> sqlc.arg(id));

-- name: Group :one
SELECT * FROM groups WHERE id = sqlc.arg(id);

-- name: GroupByName :one
SELECT * FROM groups WHERE name = sqlc.arg(name);

-- name: Account :one
SELECT u.id, u.email, u.password, u.group_id, u.status, u.epoch, g.permissions
FROM users u JOIN groups g ON g.id = u.group_id WHERE u.id = sqlc.arg(id);

-- name: AccountByEmail :one
SELECT u.id, u.email, u.password, u.group_id, u.status, u.epoch, g.permissions
FROM users u JOIN groups g ON g.id = u.group_id WHERE u.email_key = sqlc.arg(email_key);
