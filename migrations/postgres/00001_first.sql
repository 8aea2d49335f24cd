-- +goose Up
CREATE TABLE accounts (
  id             bigserial PRIMARY KEY,
  name           text NOT NULL,
  credits        bigint NOT NULL DEFAULT 0, -- always the sum of credit_entries; kept for reading
  retention_days integer NOT NULL DEFAULT 90,
  created_at     timestamptz NOT NULL
);

CREATE TABLE users (
  id            bigserial PRIMARY KEY,
  account_id    bigint NOT NULL REFERENCES accounts,
  email         text NOT NULL UNIQUE, -- lower case
  password_hash text NOT NULL,        -- argon2id
  role          text NOT NULL,        -- owner, admin, member
  operator      boolean NOT NULL DEFAULT false,
  created_at    timestamptz NOT NULL
);
CREATE INDEX users_account ON users (account_id);

CREATE TABLE sessions (
  token_hash text PRIMARY KEY, -- SHA-256 of the cookie's token
  user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ip         text NOT NULL DEFAULT '',
  agent      text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
  id           bigserial PRIMARY KEY,
  account_id   bigint NOT NULL REFERENCES accounts,
  user_id      bigint NOT NULL REFERENCES users,
  name         text NOT NULL,
  prefix       text NOT NULL,        -- shown, so that a person knows which key it is
  hash         text NOT NULL UNIQUE, -- SHA-256 of the whole key
  in_url       boolean NOT NULL DEFAULT false,
  created_at   timestamptz NOT NULL,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
CREATE INDEX api_keys_account ON api_keys (account_id);

CREATE TABLE lists (
  id             bigserial PRIMARY KEY,
  ref            text NOT NULL UNIQUE, -- the id the outside sees
  account_id     bigint NOT NULL REFERENCES accounts,
  user_id        bigint NOT NULL,
  name           text NOT NULL,
  process        text NOT NULL,
  state          text NOT NULL,
  reason         text NOT NULL DEFAULT '',
  note           text NOT NULL DEFAULT '', -- the reason as a sentence
  filename       text NOT NULL DEFAULT '',
  upload_key     text NOT NULL DEFAULT '',
  upload_bytes   bigint NOT NULL DEFAULT 0,
  dialect        text NOT NULL DEFAULT '{}',
  columns        text NOT NULL DEFAULT '[]',
  mapping        text NOT NULL DEFAULT '{}',
  imported       bigint NOT NULL DEFAULT 0, -- rows committed so far: where a restarted import goes on
  total          bigint NOT NULL DEFAULT 0, -- rows of the whole list, known when the import has ended
  result_key     text NOT NULL DEFAULT '',
  result_version integer NOT NULL DEFAULT 0,
  result_bytes   bigint NOT NULL DEFAULT 0,
  result_at      timestamptz,
  changed_at     timestamptz NOT NULL, -- last change of a record: a result file older than this is stale
  created_at     timestamptz NOT NULL,
  started_at     timestamptz,
  finished_at    timestamptz
);
CREATE INDEX lists_account ON lists (account_id, id);
CREATE INDEX lists_busy ON lists (id) WHERE state IN ('importing', 'running', 'exporting', 'deleting');
CREATE INDEX lists_stale ON lists (id) WHERE state IN ('finished', 'canceled') AND changed_at > result_at;

-- No foreign key to lists: its check costs half the speed of COPY. Lists are deleted by List.Delete, records first.
CREATE TABLE records (
  id              bigserial PRIMARY KEY,
  list_id         bigint NOT NULL,
  account_id      bigint NOT NULL,
  row_no          bigint NOT NULL, -- from 1, in the order of the file
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
  twin_of         bigint,                     -- an earlier row of the list with the same question: its answer is ours
  queued_at       timestamptz,
  next_attempt_at timestamptz,
  email           text NOT NULL DEFAULT '',
  status          text NOT NULL DEFAULT '',
  score           integer NOT NULL DEFAULT 0,
  pattern         text NOT NULL DEFAULT '',
  reason          text NOT NULL DEFAULT '',
  note            text NOT NULL DEFAULT '',
  evidence        text NOT NULL DEFAULT '',
  checked_at      timestamptz
);
CREATE UNIQUE INDEX records_row ON records (list_id, row_no);
CREATE INDEX records_pending ON records (list_id, row_no) WHERE state = 'pending' AND twin_of IS NULL;
CREATE INDEX records_queued ON records (list_id, queued_at) WHERE state = 'queued';
CREATE INDEX records_retrying ON records (list_id, next_attempt_at) WHERE state = 'retrying';
CREATE INDEX records_twins ON records (twin_of) WHERE twin_of IS NOT NULL;
CREATE INDEX records_answers ON records (person_key) WHERE state = 'done' AND person_key <> '';
CREATE INDEX records_status ON records (list_id, status, row_no) WHERE state IN ('done', 'failed');

CREATE TABLE list_counts (
  list_id bigint NOT NULL,
  state   text NOT NULL,   -- done, failed
  status  text NOT NULL,
  reason  text NOT NULL,
  rows    bigint NOT NULL,
  PRIMARY KEY (list_id, state, status, reason)
);

CREATE TABLE domains (
  name       text PRIMARY KEY,
  facts      text NOT NULL DEFAULT '', -- probe.Domain as JSON
  accept_all text NOT NULL DEFAULT '', -- probe.AcceptAllAnswer as JSON
  checked_at timestamptz NOT NULL
);

CREATE TABLE observations (
  domain       text NOT NULL,
  address_hash text NOT NULL,
  pattern      text NOT NULL,
  hit          boolean NOT NULL,
  source       text NOT NULL, -- lookup, known, bounce
  seen_at      timestamptz NOT NULL,
  PRIMARY KEY (domain, address_hash, pattern)
);

CREATE TABLE domain_patterns (
  domain  text NOT NULL,
  pattern text NOT NULL,
  hits    bigint NOT NULL DEFAULT 0,
  misses  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (domain, pattern)
);

CREATE TABLE credit_entries (
  id         bigserial PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES accounts,
  amount     bigint NOT NULL, -- negative: spent
  kind       text NOT NULL,   -- find, grant
  record_id  bigint,
  run        integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL
);
CREATE INDEX credit_entries_account ON credit_entries (account_id, id);
CREATE UNIQUE INDEX credit_entries_once ON credit_entries (record_id, run) WHERE record_id IS NOT NULL;

-- The last time an account paid for the answer to a question: the same question is free while this is young.
CREATE TABLE paid_answers (
  account_id bigint NOT NULL,
  person_key text NOT NULL,
  paid_at    timestamptz NOT NULL,
  PRIMARY KEY (account_id, person_key)
);

CREATE TABLE suppressions (
  hash       text PRIMARY KEY, -- SHA-256 of an address or a domain, lower case
  kind       text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE audit_events (
  id         bigserial PRIMARY KEY,
  account_id bigint,
  user_id    bigint,
  action     text NOT NULL,
  subject    text NOT NULL DEFAULT '',
  ip         text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL
);
CREATE INDEX audit_events_account ON audit_events (account_id, id);

CREATE TABLE workers (
  id         text PRIMARY KEY,
  host       text NOT NULL,
  holding    text NOT NULL DEFAULT '[]', -- ids of the record tasks in its hands, as JSON
  started_at timestamptz NOT NULL,
  beat_at    timestamptz NOT NULL
);

CREATE TABLE leases (
  name   text PRIMARY KEY,
  holder text NOT NULL,
  until  timestamptz NOT NULL
);

-- +goose Down
DROP TABLE leases, workers, audit_events, suppressions, paid_answers, credit_entries, domain_patterns, observations, domains, list_counts,
  records, lists, api_keys, sessions, users, accounts;
