-- +goose Up
-- What the clock fires by name: when it last did, what came of it, and what one run leaves to the next.
CREATE TABLE schedules (
  name        text PRIMARY KEY,
  last_run_at timestamptz NOT NULL,
  last_result text NOT NULL DEFAULT '',
  failed      boolean NOT NULL DEFAULT false,
  state       text NOT NULL DEFAULT ''
);

-- A minute of one process: answers of web, lookups of workers.
CREATE TABLE metric_points (
  at       timestamptz NOT NULL, -- the beginning of the minute
  process  text NOT NULL,
  requests bigint NOT NULL,
  failures bigint NOT NULL,  -- answers with 500 or more, time-outs not counted
  timeouts bigint NOT NULL,
  p50      double precision NOT NULL,     -- milliseconds
  p95      double precision NOT NULL,
  p99      double precision NOT NULL,
  lookups  bigint NOT NULL,
  PRIMARY KEY (at, process)
);

CREATE TABLE password_resets (
  token_hash text PRIMARY KEY, -- SHA-256 of the token in the mail
  user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX password_resets_user ON password_resets (user_id);

-- Mail that is kept instead of sent: where no mail server is configured, on a developer's machine.
CREATE TABLE kept_mails (
  id         bigserial PRIMARY KEY,
  recipient  text NOT NULL,
  subject    text NOT NULL,
  text_body  text NOT NULL,
  html_body  text NOT NULL,
  created_at timestamptz NOT NULL
);

ALTER TABLE users ADD COLUMN notify boolean NOT NULL DEFAULT true; -- mail about lists that have ended

-- +goose Down
ALTER TABLE users DROP COLUMN notify;
DROP TABLE kept_mails;
DROP TABLE password_resets;
DROP TABLE metric_points;
DROP TABLE schedules;
