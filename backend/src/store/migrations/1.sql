-- Times are milliseconds since 1970. AUTOINCREMENT: an id is never used again, so a link to what was deleted never
-- leads to something else.

CREATE TABLE dataset (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    next_row   INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;

-- A pair as it was from revision `since` on, until revision `until`, or until now where that is null. A version is
-- then a revision that is remembered: unchanged pairs are shared by all versions.
CREATE TABLE pair (
    dataset INTEGER NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    id      INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER,
    json    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX pair_now ON pair (dataset, id) WHERE until IS NULL;
CREATE INDEX pair_ever ON pair (dataset, id);

CREATE TABLE version (
    dataset    INTEGER NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    note       TEXT NOT NULL,
    pairs      INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (dataset, number)
) STRICT, WITHOUT ROWID;

-- The dataset may be deleted before the job: the manifest has the pairs.
CREATE TABLE job (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    name              TEXT NOT NULL,
    state             TEXT NOT NULL,
    step              INTEGER NOT NULL DEFAULT 0,
    total_steps       INTEGER NOT NULL DEFAULT 0,
    created_ms        INTEGER NOT NULL,
    started_ms        INTEGER,
    ended_ms          INTEGER,
    error             TEXT,
    dataset           INTEGER NOT NULL,
    dataset_name      TEXT NOT NULL,
    dataset_version   INTEGER NOT NULL,
    dataset_digest    TEXT NOT NULL,
    model_fingerprint TEXT NOT NULL,
    adapter           TEXT,
    manifest          TEXT NOT NULL,
    pinned            TEXT NOT NULL
) STRICT;

CREATE TABLE job_event (
    job   INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    seq   INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    kind  TEXT NOT NULL,
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE adapter (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    name              TEXT NOT NULL UNIQUE,
    created_ms        INTEGER NOT NULL,
    job               INTEGER REFERENCES job (id) ON DELETE SET NULL,
    dataset_name      TEXT,
    dataset_version   INTEGER,
    r                 INTEGER NOT NULL,
    alpha             REAL NOT NULL,
    target_modules    TEXT NOT NULL,
    model_fingerprint TEXT NOT NULL,
    size_bytes        INTEGER NOT NULL
) STRICT;
CREATE INDEX adapter_job ON adapter (job);

CREATE TABLE conversation (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    updated_ms INTEGER NOT NULL,
    title      TEXT NOT NULL,
    turns      TEXT NOT NULL
) STRICT;
