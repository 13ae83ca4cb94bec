-- +goose Up

-- The few versions whose bytes were found damaged, for listings.
CREATE INDEX versions_damaged ON versions (owner, node) WHERE damage <> '';
