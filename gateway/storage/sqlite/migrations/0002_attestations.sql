-- What others said of the tree: checkpoints kept because they were cosigned or timestamped, the cosignatures, the
-- timestamp tokens. One of a kind and name for each size.
CREATE TABLE attestation (
  size INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (kind, size, name)
) WITHOUT ROWID;
