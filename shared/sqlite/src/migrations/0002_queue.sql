-- The queue, its dead letters and the alarms. Times are whole microseconds since 1970.

-- One row per tenant and lane that ever had a message. `served` orders the groups: the one that was
-- served longest ago comes next.
CREATE TABLE queue_groups (
    tenant TEXT    NOT NULL,
    lane   TEXT    NOT NULL,
    served INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, lane)
) STRICT, WITHOUT ROWID;

-- A message is in flight from its delivery until `visible_at`, unless it was given back before.
CREATE TABLE messages (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant        TEXT    NOT NULL,
    lane          TEXT    NOT NULL,
    deduplication TEXT    NOT NULL,
    sent_at       INTEGER NOT NULL,
    visible_at    INTEGER NOT NULL,
    in_flight     INTEGER NOT NULL DEFAULT 0 CHECK (in_flight IN (0, 1)),
    receives      INTEGER NOT NULL DEFAULT 0,
    body          TEXT    NOT NULL
) STRICT;

CREATE INDEX messages_group ON messages (tenant, lane);

-- Deduplication ids of the last five minutes, also of messages that are long handled.
CREATE TABLE deduplications (
    tenant  TEXT    NOT NULL,
    lane    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, lane, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX deduplications_age ON deduplications (sent_at);

CREATE TABLE dead_letters (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant        TEXT    NOT NULL,
    lane          TEXT    NOT NULL,
    deduplication TEXT    NOT NULL,
    sent_at       INTEGER NOT NULL,
    buried_at     INTEGER NOT NULL,
    receives      INTEGER NOT NULL,
    why           TEXT    NOT NULL,
    body          TEXT    NOT NULL
) STRICT;

CREATE TABLE alarms (
    tenant TEXT    NOT NULL,
    run    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX alarms_at ON alarms (at);
