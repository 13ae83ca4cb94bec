-- name: SaveProfile :execrows
UPDATE users SET nick = COALESCE(sqlc.narg(nick), nick), language = COALESCE(sqlc.narg(language), language),
    theme = COALESCE(sqlc.narg(theme), theme), view_alone = COALESCE(sqlc.narg(view_alone), view_alone),
    share_links = COALESCE(sqlc.narg(share_links), share_links),
    max_versions = COALESCE(sqlc.narg(max_versions), max_versions),
    keep_ext = COALESCE(sqlc.narg(keep_ext), keep_ext)
WHERE id = sqlc.arg(id);

-- name: RaiseEpoch :one
UPDATE users SET password = sqlc.arg(now), epoch = epoch + 1
WHERE id = sqlc.arg(id) AND password = sqlc.arg(was) RETURNING epoch;

-- name: AdoptFamily :exec
UPDATE families SET epoch = sqlc.arg(epoch) WHERE id = sqlc.arg(id) AND user_id = sqlc.arg(user_id) AND NOT revoked;

-- name: RevokeOthers :exec
UPDATE families SET revoked = TRUE WHERE user_id = sqlc.arg(user_id) AND id <> sqlc.arg(keep) AND NOT revoked;

-- name: PruneFamilies :exec
DELETE FROM families WHERE user_id = sqlc.arg(user_id) AND expires_us < sqlc.arg(before_us);

-- name: FamiliesOf :many
SELECT f.* FROM families f JOIN users u ON u.id = f.user_id
WHERE f.user_id = sqlc.arg(user_id) AND NOT f.revoked AND f.epoch = u.epoch AND f.expires_us > sqlc.arg(now_us)
ORDER BY f.rotated_us DESC, f.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: SearchPeople :many
SELECT id, nick, avatar, created_us FROM users
WHERE status = 'active' AND (email_key = sqlc.arg(email_key) OR LOWER(nick) LIKE CAST(sqlc.arg(pattern) AS TEXT) ESCAPE '!')
ORDER BY LOWER(nick), id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: SetAvatar :execrows
UPDATE users SET avatar = sqlc.arg(avatar) WHERE id = sqlc.arg(id);

-- name: SetPicture :exec
INSERT INTO pictures (user_id, mime, image, at_us)
VALUES (sqlc.arg(user_id), sqlc.arg(mime), sqlc.arg(image), sqlc.arg(at_us))
ON CONFLICT (user_id) DO UPDATE SET mime = excluded.mime, image = excluded.image, at_us = excluded.at_us;

-- name: DropPicture :exec
DELETE FROM pictures WHERE user_id = sqlc.arg(user_id);

-- name: Picture :one
SELECT * FROM pictures WHERE user_id = sqlc.arg(user_id);

-- name: SecondFactor :one
SELECT * FROM second_factors WHERE user_id = sqlc.arg(user_id);

-- name: OfferFactor :execrows
INSERT INTO second_factors (user_id, sealed, made_us, since_us)
VALUES (sqlc.arg(user_id), sqlc.arg(sealed), sqlc.arg(made_us), 0)
ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, made_us = excluded.made_us
WHERE second_factors.since_us = 0;

-- name: ConfirmFactor :execrows
UPDATE second_factors SET since_us = sqlc.arg(since_us)
WHERE user_id = sqlc.arg(user_id) AND since_us = 0 AND made_us = sqlc.arg(made_us);

-- name: DropFactor :exec
DELETE FROM second_factors WHERE user_id = sqlc.arg(user_id);

-- name: AddPasskey :execrows
INSERT INTO passkeys (id, user_id, name, sealed, created_us, used_us)
VALUES (sqlc.arg(id), sqlc.arg(user_id), sqlc.arg(name), sqlc.arg(sealed), sqlc.arg(created_us), 0)
ON CONFLICT (id) DO NOTHING;

-- name: Passkeys :many
SELECT * FROM passkeys WHERE user_id = sqlc.arg(user_id) ORDER BY created_us, id;

-- name: UsePasskey :execrows
UPDATE passkeys SET sealed = sqlc.arg(sealed), used_us = sqlc.arg(used_us)
WHERE id = sqlc.arg(id) AND user_id = sqlc.arg(user_id);

-- name: DropPasskey :execrows
DELETE FROM passkeys WHERE id = sqlc.arg(id) AND user_id = sqlc.arg(user_id);

-- name: Spend :execrows
INSERT INTO spent (id, until_us) VALUES (sqlc.arg(id), sqlc.arg(until_us)) ON CONFLICT (id) DO NOTHING;

-- name: ForgetSpent :exec
DELETE FROM spent WHERE until_us < sqlc.arg(before_us);

-- name: HoldFactor :execrows
UPDATE second_factors SET since_us = since_us
WHERE user_id = sqlc.arg(user_id) AND made_us = sqlc.arg(made_us) AND since_us > 0;

-- name: DropRecovery :exec
DELETE FROM recovery_codes WHERE user_id = sqlc.arg(user_id);

-- name: AddRecovery :exec
INSERT INTO recovery_codes (user_id, hash) VALUES (sqlc.arg(user_id), sqlc.arg(hash));

-- name: UseRecovery :execrows
DELETE FROM recovery_codes WHERE user_id = sqlc.arg(user_id) AND hash = sqlc.arg(hash);

-- name: RecoveryLeft :one
SELECT count(*) FROM recovery_codes WHERE user_id = sqlc.arg(user_id);
