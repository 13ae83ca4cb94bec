-- The windows of lists: at most so many rows in order of their ids, from one id
-- on, upward or downward. What they cost does not grow with the table.

-- name: WindowUsers :many
SELECT * FROM (SELECT u.id, u.email_key, u.nick, u.group_id, u.status FROM users u
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 1 AND u.id > sqlc.arg(past) ORDER BY u.id LIMIT CAST(sqlc.arg(lim) AS BIGINT)) a
UNION ALL
SELECT * FROM (SELECT u.id, u.email_key, u.nick, u.group_id, u.status FROM users u
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 0 AND u.id < sqlc.arg(past) ORDER BY u.id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT)) b;

-- name: WindowFiles :many
SELECT * FROM (SELECT n.id, n.owner, n.name_key, n.kind FROM nodes n
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 1 AND n.id > sqlc.arg(past) ORDER BY n.id LIMIT CAST(sqlc.arg(lim) AS BIGINT)) a
UNION ALL
SELECT * FROM (SELECT n.id, n.owner, n.name_key, n.kind FROM nodes n
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 0 AND n.id < sqlc.arg(past) ORDER BY n.id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT)) b;

-- name: WindowVersions :many
SELECT * FROM (SELECT v.id, v.owner, v.policy, v.damage FROM versions v
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 1 AND v.id > sqlc.arg(past) ORDER BY v.id LIMIT CAST(sqlc.arg(lim) AS BIGINT)) a
UNION ALL
SELECT * FROM (SELECT v.id, v.owner, v.policy, v.damage FROM versions v
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 0 AND v.id < sqlc.arg(past) ORDER BY v.id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT)) b;

-- name: WindowTrail :many
SELECT * FROM (SELECT t.* FROM admin_trail t
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 1 AND t.id > sqlc.arg(past) ORDER BY t.id LIMIT CAST(sqlc.arg(lim) AS BIGINT)) a
UNION ALL
SELECT * FROM (SELECT t.* FROM admin_trail t
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 0 AND t.id < sqlc.arg(past) ORDER BY t.id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT)) b;

-- name: LiveUploads :many
SELECT id, owner, node, policy, uri, size, received, state, created_us, touched_us, expires_us FROM sessions
WHERE state IN ('open', 'sealing') ORDER BY owner, created_us DESC, id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: LiveUploadOwner :one
SELECT owner FROM sessions WHERE id = sqlc.arg(id);

-- name: LiveUploadsOf :many
SELECT id FROM sessions WHERE owner = sqlc.arg(owner) AND state IN ('open', 'sealing')
ORDER BY created_us, id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: Groups :many
SELECT * FROM groups ORDER BY id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: AddGroup :execrows
INSERT INTO groups (id, name, permissions, quota, policy, max_sessions, max_versions, trash_seconds)
VALUES (sqlc.arg(id), sqlc.arg(name), sqlc.arg(permissions), sqlc.arg(quota), sqlc.arg(policy), sqlc.arg(max_sessions),
    sqlc.arg(max_versions), sqlc.arg(trash_seconds))
ON CONFLICT (name) DO NOTHING;

-- name: UpdateGroup :execrows
UPDATE groups SET name = sqlc.arg(name), permissions = sqlc.arg(permissions), quota = sqlc.arg(quota),
    policy = sqlc.arg(policy), max_sessions = sqlc.arg(max_sessions), max_versions = sqlc.arg(max_versions),
    trash_seconds = sqlc.arg(trash_seconds)
WHERE groups.id = sqlc.arg(id)
  AND NOT EXISTS (SELECT 1 FROM groups o WHERE o.name = sqlc.arg(name) AND o.id <> sqlc.arg(id));

-- name: RemoveGroup :execrows
DELETE FROM groups WHERE id = sqlc.arg(id);

-- name: MembersOf :many
SELECT id FROM users WHERE group_id = sqlc.arg(group_id) ORDER BY id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: ActiveAdmins :many
SELECT u.id FROM groups g JOIN users u ON u.group_id = g.id
WHERE (g.permissions & 1) = 1 AND u.status = 'active' ORDER BY u.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: GroupOfPolicy :one
SELECT name FROM groups WHERE policy = sqlc.arg(policy) ORDER BY id LIMIT 1;

-- name: PolicyHolds :one
SELECT EXISTS (SELECT 1 FROM versions v WHERE v.policy = sqlc.arg(policy)) AS versions,
    EXISTS (SELECT 1 FROM sessions s WHERE s.state IN ('open', 'sealing') AND s.policy = sqlc.arg(policy)) AS uploads,
    EXISTS (SELECT 1 FROM doomed d WHERE d.policy = sqlc.arg(policy)) AS doomed;

-- name: RemovePolicy :execrows
DELETE FROM policies WHERE id = sqlc.arg(id);

-- name: RootsOf :many
SELECT id FROM nodes WHERE owner = sqlc.arg(owner) AND parent IS NULL ORDER BY id;

-- name: ForgetUploadsOf :exec
DELETE FROM sessions WHERE owner = sqlc.arg(owner) AND state IN ('done', 'aborted', 'expired');

-- name: ForgetDevicesOf :exec
DELETE FROM families WHERE user_id = sqlc.arg(user_id);

-- name: ForgetFactorsOf :exec
DELETE FROM second_factors WHERE user_id = sqlc.arg(user_id);

-- name: ForgetPasskeysOf :exec
DELETE FROM passkeys WHERE user_id = sqlc.arg(user_id);

-- name: ForgetPictureOf :exec
DELETE FROM pictures WHERE user_id = sqlc.arg(user_id);

-- name: RemoveUser :execrows
DELETE FROM users WHERE id = sqlc.arg(id);

-- name: AddTrail :exec
INSERT INTO admin_trail (id, at_us, who, request, action, kind, subject, note)
VALUES (sqlc.arg(id), sqlc.arg(at_us), sqlc.arg(who), sqlc.arg(request), sqlc.arg(action), sqlc.arg(kind),
    sqlc.arg(subject), sqlc.arg(note));

-- name: TrailOf :one
SELECT CAST(COALESCE(MIN(at_us), 0) AS BIGINT) AS first_us, CAST(COALESCE(MAX(at_us), 0) AS BIGINT) AS last_us
FROM admin_trail WHERE kind = sqlc.arg(kind) AND subject = sqlc.arg(subject);

-- name: CountDoomed :one
SELECT COUNT(*) FROM (SELECT 1 FROM doomed LIMIT CAST(sqlc.arg(lim) AS BIGINT)) d;

-- name: Totals :one
SELECT (SELECT COUNT(*) FROM users) AS users, (SELECT COUNT(*) FROM nodes WHERE kind = 0) AS files,
    (SELECT COUNT(*) FROM versions) AS versions, (SELECT COUNT(*) FROM shares) AS shares;

-- name: WindowShares :many
SELECT * FROM (SELECT s.* FROM shares s
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 1 AND s.id > sqlc.arg(past) ORDER BY s.id LIMIT CAST(sqlc.arg(lim) AS BIGINT)) a
UNION ALL
SELECT * FROM (SELECT s.* FROM shares s
    WHERE CAST(sqlc.arg(up) AS BIGINT) = 0 AND s.id < sqlc.arg(past) ORDER BY s.id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT)) b;

-- name: CountSharing :one
SELECT COUNT(*) FROM versions WHERE policy = sqlc.arg(policy) AND blob = sqlc.arg(blob);
