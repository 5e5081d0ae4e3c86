-- The columns named sum are checksums of their rows (sums.py): motlan_sum is a function of this program.

-- A record: key only, since every index in here would be paid for by each exchange. row: see rows.py. seq has no gaps,
-- so that a record's index in the log is seq - 1.
CREATE TABLE journal (seq INTEGER PRIMARY KEY, row BLOB NOT NULL);

-- Short-lived nonces, one row for each transaction: keys is a sequence of key (14 bytes) and expiry (8 bytes). They
-- are looked up in memory; this is what memory is filled from, and how processes tell one another.
CREATE TABLE nonce_log (id INTEGER PRIMARY KEY, expires INTEGER NOT NULL, keys BLOB NOT NULL, sum INTEGER);
-- Nonces that live longer. expires: microseconds, 8 bytes big-endian.
CREATE TABLE nonce_lasting (key BLOB PRIMARY KEY, expires BLOB NOT NULL, sum INTEGER) WITHOUT ROWID;
CREATE INDEX nonce_lasting_expiry ON nonce_lasting (expires);
-- Every nonce that expires at or before the watermark may have been forgotten.
CREATE TABLE nonce_mark (one INTEGER PRIMARY KEY CHECK (one = 1), watermark INTEGER NOT NULL, sum INTEGER);
INSERT INTO nonce_mark (one, watermark, sum) VALUES (1, 0, motlan_sum(0));

CREATE TABLE charge (
  quota_window INTEGER NOT NULL, key TEXT NOT NULL, used INTEGER NOT NULL, sum INTEGER, PRIMARY KEY (quota_window, key)
) WITHOUT ROWID;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, answer TEXT, expires INTEGER NOT NULL
, sum INTEGER) WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires);

CREATE TABLE vault (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, subjects BLOB NOT NULL, purpose TEXT NOT NULL, expires INTEGER NOT NULL,
  sealed BLOB NOT NULL
, sum INTEGER);
CREATE INDEX vault_expiry ON vault (expires);

-- Each process that opened the file, in order. It is alive while it holds a lock on the file named after its number.
CREATE TABLE owner (number INTEGER PRIMARY KEY AUTOINCREMENT);

-- The tree of the log: how far it got, and who may move it.
CREATE TABLE tree (
  one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, frontier BLOB NOT NULL, checkpoint BLOB,
  fence INTEGER NOT NULL, holder TEXT, holder_owner INTEGER, lease_until INTEGER NOT NULL
, sum INTEGER);
INSERT INTO tree (one, size, frontier, fence, lease_until, sum)
VALUES (1, 0, x'', 0, 0, motlan_sum(0, x'', NULL, 0, NULL, NULL, 0));
-- id: level << 48 | number.
CREATE TABLE tile (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL);

CREATE TABLE epoch (id TEXT PRIMARY KEY, starts INTEGER NOT NULL, sealed BLOB NOT NULL, sum INTEGER) WITHOUT ROWID;

-- What was in force, for as long as the log: trust lists, policies, services. The newest of a kind has the highest id.
CREATE TABLE document (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, digest TEXT NOT NULL, content BLOB NOT NULL, note TEXT NOT NULL,
  at INTEGER NOT NULL
, sum INTEGER);
CREATE INDEX document_kind ON document (kind, id);

-- Search, filled behind the tree. Record ids are UUIDv7 and so come nearly in order.
CREATE TABLE record_id (id BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
-- Requests without an end.
CREATE TABLE open_request (id BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
-- Clients, services, purposes, kinds and outcomes: few values, so each has a number and a list.
CREATE TABLE term (
  id INTEGER PRIMARY KEY, field TEXT NOT NULL, value TEXT NOT NULL, records INTEGER NOT NULL, UNIQUE (field, value)
);
CREATE TABLE posting (term INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (term, seq)) WITHOUT ROWID;
-- Pseudonyms are random: kept apart for each 4096 records (segment), new ones touch few pages, however large the log.
CREATE TABLE pseudonym (
  segment INTEGER NOT NULL, pseudonym BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (segment, pseudonym, seq)
) WITHOUT ROWID;
-- The first and last record of each minute. Clocks may go back, so minutes may overlap.
CREATE TABLE minute (minute INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL);

-- What others said of the tree: checkpoints kept because they were cosigned or timestamped, the cosignatures, the
-- timestamp tokens. One of a kind and name for each size.
CREATE TABLE attestation (
  size INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, at INTEGER NOT NULL, sum INTEGER,
  PRIMARY KEY (kind, size, name)
) WITHOUT ROWID;

-- Where an epoch's records lie: its pseudonyms are looked for there only.
CREATE TABLE epoch_span (epoch TEXT PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL) WITHOUT ROWID;
-- The record that ended a request, by the request's id.
CREATE TABLE ending (id BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
