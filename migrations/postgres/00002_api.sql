-- +goose Up
-- Addresses that an account knows of: what it uploaded, what bounced, what it found with single questions.
CREATE TABLE known_emails (
  id         bigserial PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES accounts,
  email      text NOT NULL, -- lower case
  domain     text NOT NULL,
  first_name text NOT NULL DEFAULT '',
  last_name  text NOT NULL DEFAULT '',
  kind       text NOT NULL, -- known, bounce, found
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX known_emails_once ON known_emails (account_id, email);
CREATE INDEX known_emails_domain ON known_emails (account_id, domain);
-- The addresses an account found at one domain, whatever its files called it. db.MailDomain is the same expression.
CREATE INDEX records_found ON records (account_id, split_part(email, '@', 2)) WHERE state = 'done' AND email <> '';

-- Answers to single questions: the same question within REUSE_ANSWERS_DAYS gets them again.
CREATE TABLE single_answers (
  account_id bigint NOT NULL,
  person_key text NOT NULL,
  email      text NOT NULL DEFAULT '',
  result     text NOT NULL, -- finder.Result as JSON
  checked_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, person_key)
);
CREATE INDEX single_answers_expiry ON single_answers (expires_at);

CREATE TABLE idempotency_keys (
  account_id  bigint NOT NULL,
  key_hash    text NOT NULL,
  fingerprint text NOT NULL DEFAULT '', -- of the request, known when its body has been read
  shape       text NOT NULL,            -- of what is known before the body: method, path, declared length and type
  status      integer NOT NULL DEFAULT 0, -- 0: in flight
  headers     text NOT NULL DEFAULT '{}',
  body        bytea,
  claimed_at  timestamptz NOT NULL,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (account_id, key_hash)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE webhooks (
  id            bigserial PRIMARY KEY,
  ref           text NOT NULL UNIQUE,
  account_id    bigint NOT NULL REFERENCES accounts,
  url           text NOT NULL,
  events        text NOT NULL DEFAULT '[]', -- JSON array
  secret        text NOT NULL,              -- whsec_…: signing needs it in clear
  enabled       boolean NOT NULL DEFAULT true,
  note          text NOT NULL DEFAULT '',   -- why it was disabled
  failing_since timestamptz,
  created_at    timestamptz NOT NULL
);
CREATE INDEX webhooks_account ON webhooks (account_id, id);

-- One message for one address. webhook_id is null for the callback_url of a list.
CREATE TABLE webhook_deliveries (
  id           bigserial PRIMARY KEY,
  ref          text NOT NULL UNIQUE, -- the webhook-id header: the same on every try
  account_id   bigint NOT NULL,
  webhook_id   bigint,
  url          text NOT NULL,
  event        text NOT NULL,
  payload      text NOT NULL,
  state        text NOT NULL, -- pending, delivered, failed
  tries        integer NOT NULL DEFAULT 0,
  code         integer NOT NULL DEFAULT 0, -- HTTP status of the last try, 0 without one
  note         text NOT NULL DEFAULT '',   -- what went wrong, or the beginning of the answer
  next_at      timestamptz,
  tried_at     timestamptz,
  created_at   timestamptz NOT NULL
);
CREATE INDEX webhook_deliveries_account ON webhook_deliveries (account_id, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'pending';

-- What signs the messages to callback_urls, one secret per account, made when first needed.
CREATE TABLE callback_secrets (
  account_id bigint PRIMARY KEY,
  secret     text NOT NULL,
  created_at timestamptz NOT NULL
);

ALTER TABLE lists ADD COLUMN callback_url text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE lists DROP COLUMN callback_url;
DROP TABLE callback_secrets;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
DROP TABLE idempotency_keys;
DROP TABLE single_answers;
DROP INDEX records_found;
DROP TABLE known_emails;
