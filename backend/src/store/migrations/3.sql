-- What was answered, question by question. The pair goes along: dataset and version may be deleted.
CREATE TABLE evaluation_answer (
    evaluation INTEGER NOT NULL REFERENCES evaluation (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    json       TEXT NOT NULL,
    PRIMARY KEY (evaluation, number)
) STRICT, WITHOUT ROWID;
