-- The ledger, the documents of the tenants and the outbox. Times are whole microseconds since 1970.

CREATE TABLE tenants (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- One row per tenant and kind. A removed document keeps its row without a body, so that no version
-- is ever used twice.
CREATE TABLE documents (
    tenant  TEXT    NOT NULL REFERENCES tenants (name) ON DELETE CASCADE,
    kind    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT,
    PRIMARY KEY (tenant, kind)
) STRICT, WITHOUT ROWID;

-- One row per order. `body` is the record as JSON; the columns before it are what is asked for.
CREATE TABLE records (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL REFERENCES tenants (name) ON DELETE CASCADE,
    realm      TEXT    NOT NULL,
    order_id   INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    operation  TEXT    NOT NULL,
    fence      INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    waiting    INTEGER NOT NULL CHECK (waiting IN (0, 1)),
    due_at     INTEGER,
    updated_at INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    UNIQUE (tenant, order_id, realm)
) STRICT;

CREATE INDEX records_due ON records (tenant, realm, due_at, order_id) WHERE due_at IS NOT NULL;
CREATE INDEX records_recent ON records (tenant, updated_at DESC, order_id DESC);
CREATE INDEX records_state ON records (tenant, state, updated_at DESC, order_id DESC);
CREATE INDEX records_waiting ON records (tenant, updated_at DESC, order_id DESC) WHERE waiting = 1;

CREATE TABLE history (
    id       INTEGER PRIMARY KEY,
    tenant   TEXT    NOT NULL REFERENCES tenants (name) ON DELETE CASCADE,
    order_id INTEGER NOT NULL,
    body     TEXT    NOT NULL
) STRICT;

CREATE INDEX history_order ON history (tenant, order_id);

CREATE TABLE mails (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  TEXT    NOT NULL,
    sent_at INTEGER,
    body    TEXT    NOT NULL
) STRICT;

CREATE INDEX mails_unsent ON mails (id) WHERE sent_at IS NULL;
CREATE INDEX mails_tenant ON mails (tenant);
