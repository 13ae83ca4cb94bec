-- +goose Up

-- An upload that is under way holds its node by being there: its token is in its own
-- row, and is empty once its owner has unlocked it. A row beside it cost every small
-- file two statements.
UPDATE sessions SET lock_token = ''
WHERE state IN ('open', 'sealing') AND NOT EXISTS (
    SELECT 1 FROM locks l WHERE l.node = sessions.node AND l.token = sessions.lock_token);
DROP TABLE locks;
