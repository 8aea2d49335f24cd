-- +goose Up
ALTER TABLE users ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN delete_at datetime; -- an owner wants the account gone by then
ALTER TABLE credit_entries ADD COLUMN note text NOT NULL DEFAULT ''; -- what was bought, where no record says it

-- What the link in a mail leads to, until it is used or too old: an invitation into a team, a user's new address, an opt-out.
CREATE TABLE mail_links (
  id         integer PRIMARY KEY AUTOINCREMENT,
  kind       text NOT NULL,            -- invitation, new_email, opt_out
  email      text NOT NULL,            -- whom the mail is for, lower case
  account_id integer,
  user_id    integer,                   -- who asked
  detail     text NOT NULL DEFAULT '', -- invitation: the role; opt_out: the address or domain
  token_hash text UNIQUE,              -- SHA-256 of the token in the mail; null until it is written
  created_at datetime NOT NULL,
  expires_at datetime NOT NULL
);
CREATE UNIQUE INDEX mail_links_invited ON mail_links (account_id, email) WHERE kind = 'invitation';
CREATE INDEX mail_links_email ON mail_links (email, kind);
CREATE INDEX mail_links_expiry ON mail_links (expires_at);

-- Lists that operators publish. Their records stay where they are; an account that gets one gets a copy.
CREATE TABLE catalogue_items (
  id           integer PRIMARY KEY AUTOINCREMENT,
  ref          text NOT NULL UNIQUE,
  list_id      integer NOT NULL,
  title        text NOT NULL,
  description  text NOT NULL,
  price        integer NOT NULL, -- credits for the whole list
  rows         integer NOT NULL,
  columns      text NOT NULL DEFAULT '[]',
  sample       text NOT NULL DEFAULT '[]', -- a few rows with addresses masked, as JSON
  published_at datetime NOT NULL,
  withdrawn_at datetime
);
CREATE UNIQUE INDEX catalogue_items_list ON catalogue_items (list_id) WHERE withdrawn_at IS NULL;

-- Who got what: an account pays for an item once.
CREATE TABLE catalogue_copies (
  account_id integer NOT NULL,
  item_id    integer NOT NULL,
  list_ref   text NOT NULL,
  created_at datetime NOT NULL,
  PRIMARY KEY (account_id, item_id)
);

-- +goose Down
DROP TABLE catalogue_copies;
DROP TABLE catalogue_items;
DROP TABLE mail_links;
ALTER TABLE credit_entries DROP COLUMN note;
ALTER TABLE accounts DROP COLUMN delete_at;
ALTER TABLE users DROP COLUMN name;
