-- +goose Up
-- The key of the form by which an operator gave credits: sent again, it gives nothing.
ALTER TABLE credit_entries ADD COLUMN form_key text;
CREATE UNIQUE INDEX credit_entries_form ON credit_entries (form_key) WHERE form_key IS NOT NULL;

-- +goose Down
DROP INDEX credit_entries_form;
ALTER TABLE credit_entries DROP COLUMN form_key;
