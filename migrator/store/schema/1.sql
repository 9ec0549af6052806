-- Version 1. Records are only ever added: the newest of a step is its present state, all are its history.
CREATE TABLE runs (
  number   INTEGER PRIMARY KEY AUTOINCREMENT,
  id       TEXT NOT NULL UNIQUE,
  service  TEXT NOT NULL,
  direction TEXT NOT NULL,
  outcome  TEXT NOT NULL,
  plan     TEXT NOT NULL,
  actor    TEXT NOT NULL,
  host     TEXT NOT NULL,
  started  TEXT NOT NULL,
  ended    TEXT NOT NULL DEFAULT '',
  note     TEXT NOT NULL DEFAULT '',
  cause    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX runs_of_service ON runs (service, number);
CREATE UNIQUE INDEX one_open_run ON runs (service) WHERE outcome = 'open';
CREATE TABLE records (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  run    TEXT NOT NULL REFERENCES runs (id),
  step   TEXT NOT NULL,
  status TEXT NOT NULL,
  at     TEXT NOT NULL,
  image  TEXT NOT NULL,
  result TEXT NOT NULL,
  note   TEXT NOT NULL
) STRICT;
CREATE INDEX records_of_run ON records (run, number);
CREATE TABLE locks (
  key     TEXT PRIMARY KEY,
  owner   TEXT NOT NULL,
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  born    TEXT NOT NULL,
  since   TEXT NOT NULL,
  doing   TEXT NOT NULL,
  expires TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
