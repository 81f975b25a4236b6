-- The tables of the studies before there were links to results (SQLite).
CREATE TABLE study (
    id INTEGER NOT NULL,
    public_id VARCHAR(32) NOT NULL,
    key_hash VARCHAR(64) NOT NULL,
    revision INTEGER NOT NULL,
    revises INTEGER,
    config JSON NOT NULL,
    config_sha256 VARCHAR(64) NOT NULL,
    versions JSON NOT NULL,
    created FLOAT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (public_id),
    FOREIGN KEY(revises) REFERENCES study (id)
);
CREATE TABLE take (
    sha256 VARCHAR(64) NOT NULL,
    wav BLOB NOT NULL,
    PRIMARY KEY (sha256)
);
CREATE TABLE rater (
    id VARCHAR(32) NOT NULL,
    study_id INTEGER NOT NULL,
    "row" INTEGER NOT NULL,
    "plan" JSON NOT NULL,
    language VARCHAR(16) NOT NULL,
    device JSON NOT NULL,
    code VARCHAR(16) NOT NULL,
    created FLOAT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (study_id, "row"),
    FOREIGN KEY(study_id) REFERENCES study (id)
);
CREATE INDEX ix_rater_study_id ON rater (study_id);
CREATE TABLE stimulus (
    id INTEGER NOT NULL,
    study_id INTEGER NOT NULL,
    item TEXT NOT NULL,
    condition TEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    seconds FLOAT NOT NULL,
    made JSON NOT NULL,
    metrics JSON NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (study_id, item, condition),
    FOREIGN KEY(study_id) REFERENCES study (id) ON DELETE CASCADE,
    FOREIGN KEY(sha256) REFERENCES take (sha256)
);
CREATE INDEX ix_stimulus_study_id ON stimulus (study_id);
CREATE TABLE event (
    id INTEGER NOT NULL,
    study_id INTEGER NOT NULL,
    rater_id VARCHAR(32),
    kind VARCHAR(24) NOT NULL,
    data JSON NOT NULL,
    created FLOAT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (rater_id, kind),
    FOREIGN KEY(study_id) REFERENCES study (id) ON DELETE CASCADE,
    FOREIGN KEY(rater_id) REFERENCES rater (id) ON DELETE CASCADE
);
CREATE INDEX ix_event_rater_id ON event (rater_id);
CREATE INDEX ix_event_study_id ON event (study_id);
CREATE TABLE flag (
    id INTEGER NOT NULL,
    rater_id VARCHAR(32) NOT NULL,
    rule VARCHAR(40) NOT NULL,
    version INTEGER NOT NULL,
    detail TEXT NOT NULL,
    created FLOAT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(rater_id) REFERENCES rater (id) ON DELETE CASCADE
);
CREATE INDEX ix_flag_rater_id ON flag (rater_id);
CREATE TABLE trial (
    id INTEGER NOT NULL,
    rater_id VARCHAR(32) NOT NULL,
    number INTEGER NOT NULL,
    nonce VARCHAR(32) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    item TEXT NOT NULL,
    shown JSON NOT NULL,
    x INTEGER,
    created FLOAT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (rater_id, number),
    FOREIGN KEY(rater_id) REFERENCES rater (id) ON DELETE CASCADE,
    UNIQUE (nonce)
);
CREATE TABLE response (
    id INTEGER NOT NULL,
    trial_id INTEGER NOT NULL,
    answer JSON NOT NULL,
    heard JSON NOT NULL,
    plays JSON NOT NULL,
    switches INTEGER NOT NULL,
    dwell_ms INTEGER NOT NULL,
    created FLOAT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (trial_id),
    FOREIGN KEY(trial_id) REFERENCES trial (id) ON DELETE CASCADE
);
