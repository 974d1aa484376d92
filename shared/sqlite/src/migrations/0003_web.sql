-- What the web application asks for: search, days, the oldest wait, and who may do what.

-- What a list is filtered by, next to the body it is taken from. `search` holds small letters.
ALTER TABLE records ADD COLUMN vendor TEXT;
ALTER TABLE records ADD COLUMN code TEXT;
ALTER TABLE records ADD COLUMN search TEXT NOT NULL DEFAULT '';
-- Since when somebody waits for the order; NULL once nothing is left to do.
ALTER TABLE records ADD COLUMN open_since INTEGER;

UPDATE records SET
    vendor = json_extract(body, '$.vendor_name'),
    code = coalesce(json_extract(body, '$.state.notice.code'), json_extract(body, '$.wait.notice.code')),
    search = lower(order_id || char(10) || coalesce(json_extract(body, '$.order_number'), '')
        || char(10) || coalesce(json_extract(body, '$.vendor_name'), '')
        || char(10) || coalesce(json_extract(body, '$.state.bill.id'), '')
        || char(10) || coalesce(json_extract(body, '$.state.bill.number'), '')
        || char(10) || coalesce(json_extract(body, '$.state.notice.code'), '')),
    open_since = CASE WHEN due_at IS NOT NULL THEN updated_at END;

CREATE INDEX records_vendor ON records (tenant, vendor, updated_at DESC, order_id DESC);
CREATE INDEX records_code ON records (tenant, code, state, updated_at DESC, order_id DESC)
    WHERE code IS NOT NULL;
CREATE INDEX records_open ON records (tenant, open_since) WHERE open_since IS NOT NULL;
CREATE INDEX records_days ON records (tenant, updated_at, state);

-- Sessions, people, members, realms, events. An entry that was taken or has expired keeps its
-- version until it is swept, so that a writer who read it before cannot bring it back.
CREATE TABLE registry (
    kind       TEXT    NOT NULL,
    in_group   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    owner      TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    expires_at INTEGER,
    body       TEXT    NOT NULL,
    PRIMARY KEY (kind, in_group, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX registry_owner ON registry (kind, owner) WHERE owner <> '';
CREATE INDEX registry_expiry ON registry (expires_at) WHERE expires_at IS NOT NULL;
