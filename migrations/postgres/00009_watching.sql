-- +goose Up
-- A process of the installation that is up: each shows itself every few seconds and takes its line away when it ends in order.
CREATE TABLE processes (
  id         text PRIMARY KEY,
  kind       text NOT NULL, -- web, worker, clock
  started_at timestamptz NOT NULL,
  beat_at    timestamptz NOT NULL
);

-- What is wrong now and whom it was told: raised once, told until somebody took it, told again when it is over.
CREATE TABLE alarms (
  name       text PRIMARY KEY,
  note       text NOT NULL,
  since      timestamptz NOT NULL,
  cleared_at timestamptz,
  told       boolean NOT NULL DEFAULT false
);

-- Mails that are owed. A line is written with what it tells of, in one transaction, and goes away when the mail was handed over.
CREATE TABLE outbox (
  once       text PRIMARY KEY, -- the occasion
  kind       text NOT NULL,
  user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  list_id    bigint NOT NULL DEFAULT 0,
  note       text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  queued_at  timestamptz NOT NULL,
  failed_at  timestamptz, -- given up: refused for good, or too old
  error      text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_due ON outbox (queued_at) WHERE failed_at IS NULL;

-- Where a user has signed in from: a hash of browser and network.
CREATE TABLE known_devices (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  device  text NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, device)
);

-- What the clock measures once a minute: backlog and latency by queue, workers.
CREATE TABLE gauges (
  at      timestamptz NOT NULL, -- the beginning of the minute
  name    text NOT NULL,
  quarter bigint NOT NULL,      -- 15-minute steps since 1970: what charts of days are summed by
  value   double precision NOT NULL,
  PRIMARY KEY (at, name)
);

-- How long lists took from upload to finished file. Outlives the list.
CREATE TABLE list_times (
  list_id bigint PRIMARY KEY,
  at      timestamptz NOT NULL,
  seconds double precision NOT NULL,
  size    bigint NOT NULL -- rows
);
CREATE INDEX list_times_at ON list_times (at);

ALTER TABLE metric_points ADD COLUMN quarter bigint NOT NULL DEFAULT 0;
ALTER TABLE lists ADD COLUMN trace text NOT NULL DEFAULT ''; -- W3C traceparent of the upload
ALTER TABLE accounts ADD COLUMN credits_low boolean NOT NULL DEFAULT false; -- its owner has been told

-- +goose Down
ALTER TABLE accounts DROP COLUMN credits_low;
ALTER TABLE lists DROP COLUMN trace;
ALTER TABLE metric_points DROP COLUMN quarter;
DROP TABLE list_times;
DROP TABLE gauges;
DROP TABLE known_devices;
DROP TABLE outbox;
DROP TABLE alarms;
DROP TABLE processes;
