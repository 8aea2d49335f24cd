-- +goose Up
ALTER TABLE users ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN delete_at timestamptz; -- an owner wants the account gone by then
ALTER TABLE credit_entries ADD COLUMN note text NOT NULL DEFAULT ''; -- what was bought, where no record says it

-- What the link in a mail leads to, until it is used or too old: an invitation into a team, a user's new address, an opt-out.
CREATE TABLE mail_links (
  id         bigserial PRIMARY KEY,
  kind       text NOT NULL,            -- invitation, new_email, opt_out
  email      text NOT NULL,            -- whom the mail is for, lower case
  account_id bigint,
  user_id    bigint,                   -- who asked
  detail     text NOT NULL DEFAULT '', -- invitation: the role; opt_out: the address or domain
  token_hash text UNIQUE,              -- SHA-256 of the token in the mail; null until it is written
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX mail_links_invited ON mail_links (account_id, email) WHERE kind = 'invitation';
CREATE INDEX mail_links_email ON mail_links (email, kind);
CREATE INDEX mail_links_expiry ON mail_links (expires_at);

-- Lists that operators publish. Their records stay where they are; an account that gets one gets a copy.
CREATE TABLE catalogue_items (
  id           bigserial PRIMARY KEY,
  ref          text NOT NULL UNIQUE,
  list_id      bigint NOT NULL,
  title        text NOT NULL,
  description  text NOT NULL,
  price        bigint NOT NULL, -- credits for the whole list
  rows         bigint NOT NULL,
  columns      text NOT NULL DEFAULT '[]',
  sample       text NOT NULL DEFAULT '[]', -- a few rows with addresses masked, as JSON
  published_at timestamptz NOT NULL,
  withdrawn_at timestamptz
);
CREATE UNIQUE INDEX catalogue_items_list ON catalogue_items (list_id) WHERE withdrawn_at IS NULL;

-- Who got what: an account pays for an item once.
CREATE TABLE catalogue_copies (
  account_id bigint NOT NULL,
  item_id    bigint NOT NULL,
  list_ref   text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, item_id)
);

-- +goose Down
DROP TABLE catalogue_copies;
DROP TABLE catalogue_items;
DROP TABLE mail_links;
ALTER TABLE credit_entries DROP COLUMN note;
ALTER TABLE accounts DROP COLUMN delete_at;
ALTER TABLE users DROP COLUMN name;
