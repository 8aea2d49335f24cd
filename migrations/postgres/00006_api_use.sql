-- +goose Up
-- Calls of the API, by key and day (UTC). Written in groups, a few seconds late.
CREATE TABLE api_calls (
  account_id bigint NOT NULL,
  key_id     bigint NOT NULL,
  day        text NOT NULL, -- 2006-01-02
  calls      bigint NOT NULL DEFAULT 0,
  refused    bigint NOT NULL DEFAULT 0, -- of these, how many came too fast
  PRIMARY KEY (account_id, key_id, day)
);

-- What a known address says of how its domain writes addresses: it teaches the account that sent it, nobody else. '' says nothing.
ALTER TABLE known_emails ADD COLUMN pattern text NOT NULL DEFAULT '';

-- What a request with an Idempotency-Key has made, written in the transaction that made it: a request that died is not made twice.
ALTER TABLE idempotency_keys ADD COLUMN made text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE idempotency_keys DROP COLUMN made;
ALTER TABLE known_emails DROP COLUMN pattern;
DROP TABLE api_calls;
