-- +goose Up
-- What the clock fires by name: when it last did, what came of it, and what one run leaves to the next.
CREATE TABLE schedules (
  name        text PRIMARY KEY,
  last_run_at datetime NOT NULL,
  last_result text NOT NULL DEFAULT '',
  failed      boolean NOT NULL DEFAULT false,
  state       text NOT NULL DEFAULT ''
);

-- A minute of one process: answers of web, lookups of workers.
CREATE TABLE metric_points (
  at       datetime NOT NULL, -- the beginning of the minute
  process  text NOT NULL,
  requests integer NOT NULL,
  failures integer NOT NULL,  -- answers with 500 or more, time-outs not counted
  timeouts integer NOT NULL,
  p50      real NOT NULL,     -- milliseconds
  p95      real NOT NULL,
  p99      real NOT NULL,
  lookups  integer NOT NULL,
  PRIMARY KEY (at, process)
);

CREATE TABLE password_resets (
  token_hash text PRIMARY KEY, -- SHA-256 of the token in the mail
  user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at datetime NOT NULL,
  expires_at datetime NOT NULL
);
CREATE INDEX password_resets_user ON password_resets (user_id);

-- Mail that is kept instead of sent: where no mail server is configured, on a developer's machine.
CREATE TABLE kept_mails (
  id         integer PRIMARY KEY AUTOINCREMENT,
  recipient  text NOT NULL,
  subject    text NOT NULL,
  text_body  text NOT NULL,
  html_body  text NOT NULL,
  created_at datetime NOT NULL
);

ALTER TABLE users ADD COLUMN notify boolean NOT NULL DEFAULT true; -- mail about lists that have ended

-- +goose Down
ALTER TABLE users DROP COLUMN notify;
DROP TABLE kept_mails;
DROP TABLE password_resets;
DROP TABLE metric_points;
DROP TABLE schedules;
