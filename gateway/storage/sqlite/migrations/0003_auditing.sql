-- Where an epoch's records lie: its pseudonyms are looked for there only.
CREATE TABLE epoch_span (epoch TEXT PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL) WITHOUT ROWID;
-- The record that ended a request, by the request's id.
CREATE TABLE ending (id BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
