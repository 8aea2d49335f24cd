-- +goose Up
-- By score within a status, so that the best rows of a status of low scores are not behind all others; and the newest addresses of a
-- domain first, so that a domain of very many is not read whole.
DROP INDEX records_score;
CREATE INDEX records_score ON records (list_id, status, score, row_no) WHERE state = 'done' AND email <> '';
DROP INDEX records_found;
CREATE INDEX records_found ON records (account_id, substr(email, instr(email, '@') + 1), checked_at) WHERE state = 'done' AND email <> '';

-- +goose Down
DROP INDEX records_found;
CREATE INDEX records_found ON records (account_id, substr(email, instr(email, '@') + 1)) WHERE state = 'done' AND email <> '';
DROP INDEX records_score;
CREATE INDEX records_score ON records (list_id, score, row_no) WHERE state = 'done' AND email <> '';
