-- +goose Up
-- Mails of links (invitations, new addresses, opt-outs) are owed too: to an address, not to a user. A link that is taken back takes its mail along.
ALTER TABLE outbox ADD COLUMN link_id bigint REFERENCES mail_links ON DELETE CASCADE;
-- Nobody has an account with the address of a password reset that was asked for: it is owed all the same, so that it takes as long.
ALTER TABLE outbox ALTER COLUMN user_id DROP NOT NULL;

-- +goose Down
DELETE FROM outbox WHERE user_id IS NULL;
ALTER TABLE outbox ALTER COLUMN user_id SET NOT NULL;
ALTER TABLE outbox DROP COLUMN link_id;
