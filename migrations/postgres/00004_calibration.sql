-- +goose Up
-- What this installation's scores turned out to be worth: reliability bins by kind of answer (verified, guessed).
CREATE TABLE calibrations (
  kind    text PRIMARY KEY,
  bins    text NOT NULL, -- JSON
  made_at timestamptz NOT NULL
);

-- The answer that a row had before it was looked up again.
ALTER TABLE records ADD COLUMN previous_email text NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN previous_status text NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN previous_score integer NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN previous_at timestamptz;

-- +goose Down
ALTER TABLE records DROP COLUMN previous_at;
ALTER TABLE records DROP COLUMN previous_score;
ALTER TABLE records DROP COLUMN previous_status;
ALTER TABLE records DROP COLUMN previous_email;
DROP TABLE calibrations;
