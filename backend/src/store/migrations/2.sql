-- The dataset may be deleted before its evaluations: they are still true. Without the adapter they are of no use.
CREATE TABLE evaluation (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    state        TEXT NOT NULL,
    created_ms   INTEGER NOT NULL,
    ended_ms     INTEGER,
    error        TEXT,
    adapter      INTEGER REFERENCES adapter (id) ON DELETE CASCADE,
    request      TEXT NOT NULL,
    dataset_name TEXT NOT NULL,
    questions    INTEGER NOT NULL,
    result       TEXT NOT NULL
) STRICT;
CREATE INDEX evaluation_adapter ON evaluation (adapter);
