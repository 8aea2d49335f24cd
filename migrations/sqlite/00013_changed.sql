-- +goose Up
-- What a fresh run has changed, in the order of the file. Few rows are looked up again, so the index is small.
CREATE INDEX records_changed ON records (list_id, row_no) WHERE previous_at IS NOT NULL AND (email <> previous_email OR status <> previous_status) AND state IN ('done', 'failed');

-- +goose Down
DROP INDEX records_changed;
