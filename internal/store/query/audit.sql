-- name: VersionsAfter :many
SELECT * FROM versions WHERE id > sqlc.arg(after) ORDER BY id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: VersionOfBlob :one
SELECT * FROM versions WHERE policy = sqlc.arg(policy) AND blob = sqlc.arg(blob) ORDER BY id LIMIT 1;

-- name: IsDoomed :one
SELECT EXISTS (SELECT 1 FROM doomed WHERE policy = sqlc.arg(policy) AND blob = sqlc.arg(blob)) AS doomed;

-- name: SetDamage :execrows
-- Copies share the bytes and so the damage.
UPDATE versions SET damage = sqlc.arg(damage) WHERE versions.id = sqlc.arg(id) OR versions.id IN (
    SELECT w.id FROM versions v JOIN versions w ON w.policy = v.policy AND w.blob = v.blob
    WHERE v.id = sqlc.arg(id) AND v.blob <> '');

-- name: BytesAfter :one
SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM versions WHERE id > sqlc.arg(after);

-- name: HoldLedger :execrows
-- Everything that moves bytes of a user waits for this row.
UPDATE users SET used = used WHERE id = sqlc.arg(id);

-- name: Rebook :execrows
UPDATE users SET
    used = CAST(COALESCE((SELECT SUM(v.size) FROM versions v WHERE v.owner = users.id), 0) AS BIGINT),
    reserved = CAST(COALESCE((SELECT SUM(s.size) FROM sessions s
        WHERE s.owner = users.id AND s.state IN ('open', 'sealing')), 0) AS BIGINT)
WHERE users.id = sqlc.arg(id);

-- name: CountUploadEvents :one
SELECT COUNT(*) FROM upload_events WHERE session = sqlc.arg(session);

-- name: AddUploadEvent :execrows
-- Of two that come at once and take one number, one is not kept.
INSERT INTO upload_events (session, seq, at_us, kind, start, stop, reason, note)
SELECT s.id, CAST(sqlc.arg(seq) AS BIGINT), CAST(sqlc.arg(at_us) AS BIGINT), CAST(sqlc.arg(kind) AS TEXT),
    CAST(sqlc.arg(start) AS BIGINT), CAST(sqlc.arg(stop) AS BIGINT), CAST(sqlc.arg(reason) AS TEXT),
    CAST(sqlc.arg(note) AS TEXT)
FROM sessions s WHERE s.id = sqlc.arg(session)
ON CONFLICT (session, seq) DO NOTHING;

-- name: UploadEvents :many
SELECT * FROM upload_events WHERE session = sqlc.arg(session) ORDER BY seq;
