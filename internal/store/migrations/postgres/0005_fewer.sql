-- +goose Up

-- Every small file pays for every index. Locks are as few as uploads that run,
-- and what an owner has is only added up by audits.
DROP INDEX versions_owner;
DROP INDEX locks_token;
DROP INDEX locks_owner;
