-- name: FinishSession :execrows
UPDATE sessions SET state = 'done', received = size, touched_us = sqlc.arg(at_us), ended_us = sqlc.arg(at_us),
    end_crc64 = sqlc.arg(end_crc64), end_sha256 = sqlc.arg(end_sha256)
WHERE id = sqlc.arg(id) AND state = 'open' AND received = 0;

-- name: ShowNode :execrows
UPDATE nodes SET version = sqlc.arg(version), size = sqlc.arg(size), updated_us = sqlc.arg(updated_us), session = '',
    rev = rev + 1
WHERE id = sqlc.arg(id) AND session = sqlc.arg(session);
