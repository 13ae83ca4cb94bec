-- name: AddJob :exec
INSERT INTO jobs (id, owner, kind, args, source, target, state, is_stopping, done, total, tries, reason, note, holder, due_us, ended_us,
    created_us, updated_us)
VALUES (sqlc.arg(id), sqlc.arg(owner), sqlc.arg(kind), sqlc.arg(args), sqlc.arg(source), sqlc.arg(target), 'queued', FALSE, 0, 0, 0, '', '', '',
    sqlc.arg(created_us), 0, sqlc.arg(created_us), sqlc.arg(created_us));

-- name: Job :one
SELECT * FROM jobs WHERE id = sqlc.arg(id);

-- name: JobsOf :many
SELECT * FROM jobs WHERE owner = sqlc.arg(owner) AND id < sqlc.arg(after) ORDER BY id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: AllJobs :many
SELECT * FROM jobs WHERE id < sqlc.arg(after) ORDER BY id DESC LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: CountOpenJobs :one
SELECT COUNT(*) FROM jobs WHERE owner = sqlc.arg(owner) AND ended_us = 0;

-- name: DueJobs :many
-- A user's second job waits while somebody works at the first.
SELECT j.id FROM jobs j WHERE j.ended_us = 0 AND j.due_us <= sqlc.arg(now_us)
    AND NOT EXISTS (SELECT 1 FROM jobs b WHERE b.owner = j.owner AND b.state = 'processing' AND b.due_us > sqlc.arg(now_us))
ORDER BY j.id LIMIT 8;

-- name: ClaimJob :many
UPDATE jobs SET state = 'processing', holder = sqlc.arg(holder), due_us = sqlc.arg(until_us), tries = tries + 1, updated_us = sqlc.arg(now_us)
WHERE id = sqlc.arg(id) AND ended_us = 0 AND due_us <= sqlc.arg(now_us)
RETURNING *;

-- name: SaveJob :many
UPDATE jobs SET state = sqlc.arg(state), done = sqlc.arg(done), total = sqlc.arg(total), tries = sqlc.arg(tries), reason = sqlc.arg(reason),
    note = sqlc.arg(note), due_us = sqlc.arg(due_us), ended_us = sqlc.arg(ended_us), updated_us = sqlc.arg(updated_us)
WHERE id = sqlc.arg(id) AND holder = sqlc.arg(holder) AND state = 'processing'
RETURNING is_stopping;

-- name: ReleaseJobs :exec
UPDATE jobs SET due_us = sqlc.arg(now_us) WHERE holder = sqlc.arg(holder) AND state = 'processing' AND due_us > sqlc.arg(now_us);

-- name: CancelJob :execrows
UPDATE jobs SET is_stopping = TRUE, updated_us = sqlc.arg(now_us),
    state = CASE WHEN tries = 0 THEN 'canceled' ELSE state END,
    ended_us = CASE WHEN tries = 0 THEN sqlc.arg(now_us) ELSE ended_us END,
    due_us = CASE WHEN state = 'processing' THEN due_us ELSE sqlc.arg(now_us) END
WHERE id = sqlc.arg(id) AND owner = sqlc.arg(owner) AND ended_us = 0;

-- name: PruneJobs :execrows
DELETE FROM jobs WHERE id IN (
    SELECT e.id FROM jobs e WHERE e.ended_us > 0 AND e.ended_us < sqlc.arg(before_us) ORDER BY e.ended_us LIMIT CAST(sqlc.arg(lim) AS BIGINT)
);
