-- The SQLite store, version 1. Records are only ever added: the newest of a step is its present state, all are its history.
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
INSERT INTO runs (id, service, direction, outcome, plan, actor, host, started, ended, note, cause) VALUES
  ('r1', 'prod/shop/orders', 'forward', 'failed', '{"format": 1, "ü": [1, 2]}', 'ops', 'here', '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:09:00.000000+00:00', 'replaced by a newer plan', ''),
  ('r2', 'prod/shop/orders', 'back', 'open', '{"format": 1}', 'ops', 'here', '2026-01-01T00:09:00.000000+00:00', '', '', 'r1'),
  ('r3', 'prod/shop/cart', 'forward', 'done', '{"format": 1}', 'ops', 'there', '2026-01-01T00:01:00.000000+00:00', '2026-01-01T00:02:00.000000+00:00', '', '');
INSERT INTO records (run, step, status, at, image, result, note) VALUES
  ('r1', 'trust', 'started', '2026-01-01T00:00:01.000000+00:00', '{"there": true}', 'null', ''),
  ('r1', 'trust', 'done', '2026-01-01T00:00:02.000000+00:00', '{"there": true}', '{"size": 9}', 'n'),
  ('r3', 'trust', 'found', '2026-01-01T00:01:01.000000+00:00', 'null', 'null', ''),
  ('r2', 'association', 'started', '2026-01-01T00:09:01.000000+00:00', '[]', 'null', '');
INSERT INTO locks VALUES ('service:prod/shop/orders', 'o1', 'far', 7, '', '2026-01-01T00:09:00+00:00', 'rollback, ops', '2999-01-01T00:00:00+00:00');
