-- Rows that came into the tree before there were epoch_span and ending (schema 3): without this their answers are not
-- found, what reads the whole log takes them for damaged, and their epochs for epochs without records. They are those
-- before the first row that an epoch has a span for. A row that does not parse gives NULL, which OR IGNORE passes by.
-- Measured: 2.1 s for a million rows of 1.3 KB, without memory for them; nothing where all rows are newer.
CREATE TEMP TABLE older AS
SELECT coalesce((SELECT min(first_seq) FROM epoch_span), (SELECT size + 1 FROM tree)) AS than;
INSERT OR IGNORE INTO ending (id, seq)
SELECT motlan_ends(row), seq FROM journal WHERE seq < (SELECT than FROM older) ORDER BY seq;
-- One by one in their order: grouping would sort them all, beside the file.
INSERT OR IGNORE INTO epoch_span (epoch, first_seq, last_seq)
SELECT motlan_epoch(row), seq, seq FROM journal WHERE seq < (SELECT than FROM older) ORDER BY seq
ON CONFLICT (epoch) DO UPDATE
SET first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq);
DROP TABLE temp.older;
