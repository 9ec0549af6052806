-- Version 2: marks beside the runs; the ended runs and a step's records are found by their time.
CREATE TABLE marks (
  key  TEXT PRIMARY KEY,
  data TEXT NOT NULL,
  at   TEXT NOT NULL
) STRICT;
CREATE INDEX ended_runs ON runs (ended, id) WHERE ended <> '';
CREATE INDEX records_of_step ON records (step, at);
PRAGMA user_version = 2;
