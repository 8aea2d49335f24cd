-- +goose Up
-- Mails of links (invitations, new addresses, opt-outs) are owed too: to an address, not to a user. A link that is taken back takes its mail along.
-- Nobody has an account with the address of a password reset that was asked for: it is owed all the same, so that it takes as long.
ALTER TABLE outbox RENAME TO outbox_before;
DROP INDEX outbox_due;
CREATE TABLE outbox (
  once       text PRIMARY KEY, -- the occasion
  kind       text NOT NULL,
  user_id    integer REFERENCES users ON DELETE CASCADE,
  link_id    integer REFERENCES mail_links ON DELETE CASCADE,
  list_id    integer NOT NULL DEFAULT 0,
  note       text NOT NULL DEFAULT '',
  created_at datetime NOT NULL,
  queued_at  datetime NOT NULL,
  failed_at  datetime, -- given up: refused for good, or too old
  error      text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_due ON outbox (queued_at) WHERE failed_at IS NULL;
INSERT INTO outbox (once, kind, user_id, list_id, note, created_at, queued_at, failed_at, error)
  SELECT once, kind, user_id, list_id, note, created_at, queued_at, failed_at, error FROM outbox_before;
DROP TABLE outbox_before;

-- +goose Down
DELETE FROM outbox WHERE user_id IS NULL;
ALTER TABLE outbox RENAME TO outbox_after;
DROP INDEX outbox_due;
CREATE TABLE outbox (
  once       text PRIMARY KEY,
  kind       text NOT NULL,
  user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
  list_id    integer NOT NULL DEFAULT 0,
  note       text NOT NULL DEFAULT '',
  created_at datetime NOT NULL,
  queued_at  datetime NOT NULL,
  failed_at  datetime,
  error      text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_due ON outbox (queued_at) WHERE failed_at IS NULL;
INSERT INTO outbox SELECT once, kind, user_id, list_id, note, created_at, queued_at, failed_at, error FROM outbox_after;
DROP TABLE outbox_after;
