-- +goose Up
ALTER TABLE lists
  ADD COLUMN skip_duplicates boolean NOT NULL DEFAULT false, -- repeated rows are kept without an answer
  ADD COLUMN refresh boolean NOT NULL DEFAULT false,         -- answers from other lists are not used again
  ADD COLUMN archived_at timestamptz,
  ADD COLUMN deleted_from text NOT NULL DEFAULT '',          -- the state before deleting, for undo
  ADD COLUMN clear_at timestamptz;                           -- a deleted list can be brought back until then

CREATE TABLE list_tags (
  list_id    bigint NOT NULL,
  account_id bigint NOT NULL,
  tag        text NOT NULL, -- lower case
  PRIMARY KEY (list_id, tag)
);
CREATE INDEX list_tags_account ON list_tags (account_id, tag, list_id);

-- What is done with many rows of a list at once, by a job. Rows that are removed wait under the negative id of their list, each
-- with the action that removed it, until they are brought back or the time is over.
CREATE TABLE list_actions (
  id         bigserial PRIMARY KEY,
  list_id    bigint NOT NULL,
  account_id bigint NOT NULL,
  user_id    bigint NOT NULL,
  kind       text NOT NULL,             -- retry, remove
  state      text NOT NULL,             -- waiting, done; of a removal also undoing, undone
  selection  text NOT NULL DEFAULT '{}', -- which rows, as JSON
  rows       bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  clear_at   timestamptz                -- of a removal: until when it can be undone
);
CREATE INDEX list_actions_list ON list_actions (list_id, id);
CREATE INDEX list_actions_open ON list_actions (created_at) WHERE state IN ('waiting', 'undoing');
CREATE INDEX list_actions_clear ON list_actions (clear_at) WHERE kind = 'remove' AND state = 'done';
ALTER TABLE records ADD COLUMN removal bigint;

-- The records table by score and by address, and the few rows that a reason of "unknown" picks out of many.
CREATE INDEX records_score ON records (list_id, score, row_no) WHERE state = 'done' AND email <> '';
CREATE INDEX records_email ON records (list_id, email, row_no) WHERE state = 'done' AND email <> '';
CREATE INDEX records_unknown ON records (list_id, reason, row_no) WHERE state IN ('done', 'failed') AND status = 'unknown';

-- +goose Down
DROP INDEX records_unknown;
DROP INDEX records_email;
DROP INDEX records_score;
ALTER TABLE records DROP COLUMN removal;
DROP TABLE list_actions;
DROP TABLE list_tags;
ALTER TABLE lists DROP COLUMN clear_at, DROP COLUMN deleted_from, DROP COLUMN archived_at, DROP COLUMN refresh, DROP COLUMN skip_duplicates;
