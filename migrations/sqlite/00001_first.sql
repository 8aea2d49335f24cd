-- +goose Up
CREATE TABLE accounts (
  id             integer PRIMARY KEY AUTOINCREMENT,
  name           text NOT NULL,
  credits        integer NOT NULL DEFAULT 0, -- always the sum of credit_entries; kept for reading
  retention_days integer NOT NULL DEFAULT 90,
  created_at     datetime NOT NULL
);

CREATE TABLE users (
  id            integer PRIMARY KEY AUTOINCREMENT,
  account_id    integer NOT NULL REFERENCES accounts,
  email         text NOT NULL UNIQUE, -- lower case
  password_hash text NOT NULL,        -- argon2id
  role          text NOT NULL,        -- owner, admin, member
  operator      boolean NOT NULL DEFAULT false,
  created_at    datetime NOT NULL
);
CREATE INDEX users_account ON users (account_id);

CREATE TABLE sessions (
  token_hash text PRIMARY KEY, -- SHA-256 of the cookie's token
  user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at datetime NOT NULL,
  seen_at    datetime NOT NULL,
  expires_at datetime NOT NULL,
  ip         text NOT NULL DEFAULT '',
  agent      text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
  id           integer PRIMARY KEY AUTOINCREMENT,
  account_id   integer NOT NULL REFERENCES accounts,
  user_id      integer NOT NULL REFERENCES users,
  name         text NOT NULL,
  prefix       text NOT NULL,        -- shown, so that a person knows which key it is
  hash         text NOT NULL UNIQUE, -- SHA-256 of the whole key
  in_url       boolean NOT NULL DEFAULT false,
  created_at   datetime NOT NULL,
  last_used_at datetime,
  revoked_at   datetime
);
CREATE INDEX api_keys_account ON api_keys (account_id);

CREATE TABLE lists (
  id             integer PRIMARY KEY AUTOINCREMENT,
  ref            text NOT NULL UNIQUE, -- the id the outside sees
  account_id     integer NOT NULL REFERENCES accounts,
  user_id        integer NOT NULL,
  name           text NOT NULL,
  process        text NOT NULL,
  state          text NOT NULL,
  reason         text NOT NULL DEFAULT '',
  note           text NOT NULL DEFAULT '', -- the reason as a sentence
  filename       text NOT NULL DEFAULT '',
  upload_key     text NOT NULL DEFAULT '',
  upload_bytes   integer NOT NULL DEFAULT 0,
  dialect        text NOT NULL DEFAULT '{}',
  columns        text NOT NULL DEFAULT '[]',
  mapping        text NOT NULL DEFAULT '{}',
  imported       integer NOT NULL DEFAULT 0, -- rows committed so far: where a restarted import goes on
  total          integer NOT NULL DEFAULT 0, -- rows of the whole list, known when the import has ended
  result_key     text NOT NULL DEFAULT '',
  result_version integer NOT NULL DEFAULT 0,
  result_bytes   integer NOT NULL DEFAULT 0,
  result_at      datetime,
  changed_at     datetime NOT NULL, -- last change of a record: a result file older than this is stale
  created_at     datetime NOT NULL,
  started_at     datetime,
  finished_at    datetime
);
CREATE INDEX lists_account ON lists (account_id, id);
CREATE INDEX lists_busy ON lists (id) WHERE state IN ('importing', 'running', 'exporting', 'deleting');
CREATE INDEX lists_stale ON lists (id) WHERE state IN ('finished', 'canceled') AND changed_at > result_at;

-- The same tables as in postgres/, in SQLite's types.
CREATE TABLE records (
  id              integer PRIMARY KEY AUTOINCREMENT,
  list_id         integer NOT NULL,
  account_id      integer NOT NULL,
  row_no          integer NOT NULL, -- from 1, in the order of the file
  cells           text NOT NULL,   -- JSON array of the original cells
  first_name      text NOT NULL DEFAULT '',
  last_name       text NOT NULL DEFAULT '',
  full_name       text NOT NULL DEFAULT '',
  domain          text NOT NULL DEFAULT '',
  company         text NOT NULL DEFAULT '',
  address         text NOT NULL DEFAULT '', -- an e-mail address the file already had
  person_key      text NOT NULL DEFAULT '', -- equal for rows that ask the same question
  state           text NOT NULL DEFAULT 'pending',
  attempt         integer NOT NULL DEFAULT 1, -- the fence: only the current attempt may write an answer
  run             integer NOT NULL DEFAULT 1, -- counted up when a person asks for the row again
  tries           integer NOT NULL DEFAULT 0, -- lookups that ended with "come back later"
  crashes         integer NOT NULL DEFAULT 0, -- times a worker died with this row in its hands
  twin_of         integer,                     -- an earlier row of the list with the same question: its answer is ours
  queued_at       datetime,
  next_attempt_at datetime,
  email           text NOT NULL DEFAULT '',
  status          text NOT NULL DEFAULT '',
  score           integer NOT NULL DEFAULT 0,
  pattern         text NOT NULL DEFAULT '',
  reason          text NOT NULL DEFAULT '',
  note            text NOT NULL DEFAULT '',
  evidence        text NOT NULL DEFAULT '',
  checked_at      datetime
);
CREATE UNIQUE INDEX records_row ON records (list_id, row_no);
CREATE INDEX records_pending ON records (list_id, row_no) WHERE state = 'pending' AND twin_of IS NULL;
CREATE INDEX records_queued ON records (list_id, queued_at) WHERE state = 'queued';
CREATE INDEX records_retrying ON records (list_id, next_attempt_at) WHERE state = 'retrying';
CREATE INDEX records_twins ON records (twin_of) WHERE twin_of IS NOT NULL;
CREATE INDEX records_answers ON records (person_key) WHERE state = 'done' AND person_key <> '';
CREATE INDEX records_status ON records (list_id, status, row_no) WHERE state IN ('done', 'failed');

CREATE TABLE list_counts (
  list_id integer NOT NULL,
  state   text NOT NULL,   -- done, failed
  status  text NOT NULL,
  reason  text NOT NULL,
  rows    integer NOT NULL,
  PRIMARY KEY (list_id, state, status, reason)
);

CREATE TABLE domains (
  name       text PRIMARY KEY,
  facts      text NOT NULL DEFAULT '', -- probe.Domain as JSON
  accept_all text NOT NULL DEFAULT '', -- probe.AcceptAllAnswer as JSON
  checked_at datetime NOT NULL
);

CREATE TABLE observations (
  domain       text NOT NULL,
  address_hash text NOT NULL,
  pattern      text NOT NULL,
  hit          boolean NOT NULL,
  source       text NOT NULL, -- lookup, known, bounce
  seen_at      datetime NOT NULL,
  PRIMARY KEY (domain, address_hash, pattern)
);

CREATE TABLE domain_patterns (
  domain  text NOT NULL,
  pattern text NOT NULL,
  hits    integer NOT NULL DEFAULT 0,
  misses  integer NOT NULL DEFAULT 0,
  PRIMARY KEY (domain, pattern)
);

CREATE TABLE credit_entries (
  id         integer PRIMARY KEY AUTOINCREMENT,
  account_id integer NOT NULL REFERENCES accounts,
  amount     integer NOT NULL, -- negative: spent
  kind       text NOT NULL,   -- find, grant
  record_id  integer,
  run        integer NOT NULL DEFAULT 1,
  created_at datetime NOT NULL
);
CREATE INDEX credit_entries_account ON credit_entries (account_id, id);
CREATE UNIQUE INDEX credit_entries_once ON credit_entries (record_id, run) WHERE record_id IS NOT NULL;

-- The last time an account paid for the answer to a question: the same question is free while this is young.
CREATE TABLE paid_answers (
  account_id integer NOT NULL,
  person_key text NOT NULL,
  paid_at    datetime NOT NULL,
  PRIMARY KEY (account_id, person_key)
);

CREATE TABLE suppressions (
  hash       text PRIMARY KEY, -- SHA-256 of an address or a domain, lower case
  kind       text NOT NULL,
  created_at datetime NOT NULL
);

CREATE TABLE audit_events (
  id         integer PRIMARY KEY AUTOINCREMENT,
  account_id integer,
  user_id    integer,
  action     text NOT NULL,
  subject    text NOT NULL DEFAULT '',
  ip         text NOT NULL DEFAULT '',
  created_at datetime NOT NULL
);
CREATE INDEX audit_events_account ON audit_events (account_id, id);

CREATE TABLE workers (
  id         text PRIMARY KEY,
  host       text NOT NULL,
  holding    text NOT NULL DEFAULT '[]', -- ids of the record tasks in its hands, as JSON
  started_at datetime NOT NULL,
  beat_at    datetime NOT NULL
);

CREATE TABLE leases (
  name   text PRIMARY KEY,
  holder text NOT NULL,
  until  datetime NOT NULL
);

-- +goose Down
DROP TABLE leases;
DROP TABLE workers;
DROP TABLE audit_events;
DROP TABLE suppressions;
DROP TABLE paid_answers;
DROP TABLE credit_entries;
DROP TABLE domain_patterns;
DROP TABLE observations;
DROP TABLE domains;
DROP TABLE list_counts;
DROP TABLE records;
DROP TABLE lists;
DROP TABLE api_keys;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE accounts;
