-- name: AddSession :exec
INSERT INTO sessions (id, owner, node, version, policy, policy_rev, uri, size, chunk_size, received, state, fresh, kind,
    modified_us, mime, meta, blob, vendor_id, cipher, sealed_key, iv, sealed, lock_token, secret, created_us, touched_us,
    expires_us, ended_us, end_crc64, end_sha256)
VALUES (sqlc.arg(id), sqlc.arg(owner), sqlc.arg(node), sqlc.arg(version), sqlc.arg(policy), sqlc.arg(policy_rev),
    sqlc.arg(uri), sqlc.arg(size), sqlc.arg(chunk_size), 0, 'open', sqlc.arg(fresh), sqlc.arg(kind),
    sqlc.arg(modified_us), sqlc.arg(mime), sqlc.arg(meta), sqlc.arg(blob), sqlc.arg(vendor_id), sqlc.arg(cipher),
    sqlc.arg(sealed_key), sqlc.arg(iv), sqlc.arg(sealed), sqlc.arg(lock_token), sqlc.arg(secret), sqlc.arg(created_us),
    sqlc.arg(touched_us), sqlc.arg(expires_us), 0, 0, NULL);

-- name: Session :one
SELECT sqlc.embed(s), EXISTS (SELECT 1 FROM nodes n WHERE n.id = s.node AND n.session = s.id
    AND s.lock_token <> '' AND s.state IN ('open', 'sealing')) AS locked
FROM sessions s WHERE s.id = sqlc.arg(id);

-- name: SessionState :one
SELECT state FROM sessions WHERE id = sqlc.arg(id);

-- name: Advance :execrows
UPDATE sessions SET state = sqlc.arg(upto), ended_us = sqlc.arg(ended_us), end_crc64 = sqlc.arg(end_crc64),
    end_sha256 = sqlc.arg(end_sha256)
WHERE id = sqlc.arg(id) AND state = sqlc.arg(state);

-- name: SessionsOf :many
SELECT sqlc.embed(s), EXISTS (SELECT 1 FROM nodes n WHERE n.id = s.node AND n.session = s.id
    AND s.lock_token <> '' AND s.state IN ('open', 'sealing')) AS locked
FROM sessions s
WHERE s.owner = sqlc.arg(owner) AND s.state IN ('open', 'sealing') AND s.state = sqlc.arg(state)
ORDER BY s.created_us DESC, s.id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: CountOpen :one
SELECT COUNT(*) FROM sessions WHERE owner = sqlc.arg(owner) AND state IN ('open', 'sealing');

-- name: DueLive :many
SELECT sqlc.embed(s), EXISTS (SELECT 1 FROM nodes n WHERE n.id = s.node AND n.session = s.id
    AND s.lock_token <> '' AND s.state IN ('open', 'sealing')) AS locked
FROM sessions s
WHERE s.state IN ('open', 'sealing') AND s.state = sqlc.arg(state) AND s.expires_us <= sqlc.arg(before_us)
ORDER BY s.expires_us, s.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: DueEnded :many
SELECT sqlc.embed(s), EXISTS (SELECT 1 FROM nodes n WHERE n.id = s.node AND n.session = s.id
    AND s.lock_token <> '' AND s.state IN ('open', 'sealing')) AS locked
FROM sessions s WHERE s.state = sqlc.arg(state) AND s.expires_us <= sqlc.arg(before_us)
ORDER BY s.expires_us, s.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: ForgetSession :execrows
DELETE FROM sessions WHERE id = sqlc.arg(id) AND state IN ('done', 'aborted', 'expired');

-- name: CountPart :one
-- Takes the row of the session, so that parts and changes of state queue up.
UPDATE sessions SET received = received + sqlc.arg(n), touched_us = sqlc.arg(at_us)
WHERE sessions.id = sqlc.arg(id) AND sessions.state = 'open'
  AND NOT EXISTS (SELECT 1 FROM parts p
      WHERE p.session = sqlc.arg(id) AND p.start >= sqlc.arg(start) AND p.start <= sqlc.arg(last))
  AND COALESCE((SELECT q.stop FROM parts q
      WHERE q.session = sqlc.arg(id) AND q.start < sqlc.arg(start) ORDER BY q.start DESC LIMIT 1), 0) <= sqlc.arg(start)
RETURNING received;

-- name: AddPart :execrows
INSERT INTO parts (session, start, stop, crc64, sha256, at_us)
VALUES (sqlc.arg(session), sqlc.arg(start), sqlc.arg(stop), sqlc.arg(crc64), sqlc.arg(sha256), sqlc.arg(at_us))
ON CONFLICT (session, start) DO NOTHING;

-- name: PartsIn :many
-- Parts share no bytes: what reaches into the range from before is the last that
-- starts before it.
SELECT p.* FROM parts p WHERE p.session = sqlc.arg(session) AND p.start <= sqlc.arg(last)
  AND p.start >= COALESCE((SELECT MAX(q.start) FROM parts q WHERE q.session = sqlc.arg(session) AND q.start < sqlc.arg(start)), 0)
ORDER BY p.start;

-- name: Parts :many
SELECT * FROM parts WHERE session = sqlc.arg(session) ORDER BY start;
