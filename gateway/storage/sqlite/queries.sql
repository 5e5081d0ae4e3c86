-- name: rows_append
INSERT INTO journal (row) SELECT value FROM carray(?)

-- name: nonce_state
SELECT (SELECT max(id) FROM nonce_log), watermark FROM nonce_mark

-- name: nonce_log_after
SELECT id, keys FROM nonce_log WHERE id > ? ORDER BY id

-- name: nonce_log_append
INSERT INTO nonce_log (expires, keys, sum) VALUES (?1, ?2, motlan_sum(?1, ?2))

-- name: nonce_lasting_find
SELECT nonce.key, nonce.expires FROM carray(?) AS asked CROSS JOIN nonce_lasting AS nonce ON nonce.key = asked.value

-- name: nonce_lasting_add
INSERT INTO nonce_lasting (key, expires, sum)
SELECT substr(value, 1, 14), substr(value, 15), motlan_sum(substr(value, 1, 14), substr(value, 15)) FROM carray(?)
WHERE true
ON CONFLICT (key) DO UPDATE
SET expires = max(expires, excluded.expires), sum = motlan_sum(key, max(expires, excluded.expires))

-- name: nonce_mark_raise
UPDATE nonce_mark SET watermark = ?1, sum = motlan_sum(?1) WHERE watermark < ?1

-- name: nonce_mark
SELECT watermark FROM nonce_mark

-- name: nonce_log_forget
DELETE FROM nonce_log WHERE id IN (
  SELECT id FROM nonce_log
  WHERE id < coalesce((SELECT id FROM nonce_log WHERE expires > ?1 ORDER BY id LIMIT 1), 9223372036854775807)
    AND id < (SELECT max(id) FROM nonce_log)
  ORDER BY id LIMIT ?2
)

-- name: nonce_lasting_forget
DELETE FROM nonce_lasting WHERE key IN (SELECT key FROM nonce_lasting WHERE expires <= ? ORDER BY expires LIMIT ?)

-- name: charges_find
SELECT charge.key, charge.used FROM carray(?) AS asked
CROSS JOIN charge ON charge.quota_window = ? AND charge.key = asked.value

-- name: charge_set
INSERT OR REPLACE INTO charge (quota_window, key, used, sum) VALUES (?, ?, ?, ?)

-- name: charges_forget
DELETE FROM charge WHERE (quota_window, key) IN (SELECT quota_window, key FROM charge WHERE quota_window < ? LIMIT ?)

-- name: idempotency_find
SELECT known.key, known.fingerprint, known.answer, known.expires FROM carray(?) AS asked
CROSS JOIN idempotency AS known ON known.key = asked.value

-- name: idempotency_start
INSERT OR REPLACE INTO idempotency (key, fingerprint, answer, expires, sum)
VALUES (?1, ?2, NULL, ?3, motlan_sum(?1, ?2, NULL, ?3))

-- name: idempotency_end
UPDATE idempotency SET answer = ?1, sum = motlan_sum(key, fingerprint, ?1, expires) WHERE key = ?2

-- name: idempotency_forget
DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE expires <= ? ORDER BY expires LIMIT ?)

-- name: vault_put
INSERT OR REPLACE INTO vault (id, owner, subjects, purpose, expires, sealed, sum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, motlan_sum(?1, ?2, ?3, ?4, ?5, ?6))

-- name: vault_get
SELECT owner, subjects, purpose, expires, sealed FROM vault WHERE id = ? AND expires > ?

-- name: vault_delete
DELETE FROM vault WHERE id = ? RETURNING rowid

-- name: vault_forget
DELETE FROM vault WHERE id IN (SELECT id FROM vault WHERE expires <= ? ORDER BY expires LIMIT ?)

-- name: owner_add
INSERT INTO owner DEFAULT VALUES RETURNING number

-- name: tree
SELECT size, frontier FROM tree

-- name: tree_checkpoint
SELECT checkpoint FROM tree

-- name: tree_lease
SELECT fence, holder, holder_owner, lease_until FROM tree

-- name: tree_take
UPDATE tree SET fence = ?1, holder = ?2, holder_owner = ?3, lease_until = ?4,
  sum = motlan_sum(size, frontier, checkpoint, ?1, ?2, ?3, ?4)

-- name: tree_move
UPDATE tree SET size = ?1, frontier = ?2, checkpoint = ?3,
  sum = motlan_sum(?1, ?2, ?3, fence, holder, holder_owner, lease_until)
WHERE size = ?4 AND fence = ?5

-- name: tile_get
SELECT hashes FROM tile WHERE id = ?

-- name: tiles_from
SELECT id, hashes FROM tile WHERE id >= ?1 AND id < ?1 + ?2 ORDER BY id

-- name: tile_put
INSERT INTO tile (id, hashes) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET hashes = excluded.hashes

-- name: epoch_put
INSERT INTO epoch (id, starts, sealed, sum) VALUES (?1, ?2, ?3, motlan_sum(?1, ?2, ?3))

-- name: epochs_over
SELECT epoch.id FROM epoch LEFT JOIN epoch_span AS span ON span.epoch = epoch.id
WHERE length(epoch.sealed) > 0 AND epoch.starts < ? AND coalesce(span.last_seq, 0) <= ? ORDER BY epoch.id

-- name: epoch_destroy
UPDATE epoch SET sealed = x'', sum = motlan_sum(id, starts, x'') WHERE id = ?

-- name: epochs
SELECT id, starts, sealed FROM epoch ORDER BY starts, id

-- name: document_put
INSERT INTO document (kind, digest, content, note, at, sum) VALUES (?1, ?2, ?3, ?4, ?5, motlan_sum(?1, ?2, ?3, ?4, ?5))

-- name: document_newest
SELECT kind, digest, content, note, at FROM document WHERE kind = ? ORDER BY id DESC LIMIT 1

-- name: documents
SELECT kind, digest, content, note, at FROM document WHERE kind = ? ORDER BY id

-- name: attestation_put
INSERT INTO attestation (size, kind, name, content, at, sum)
VALUES (?1, ?2, ?3, ?4, ?5, motlan_sum(?1, ?2, ?3, ?4, ?5)) ON CONFLICT DO NOTHING

-- name: attestations_from
SELECT size, kind, name, content, at FROM attestation WHERE kind = ? AND size >= ? ORDER BY size, name LIMIT ?

-- name: attestations_newest
SELECT size, kind, name, content, at FROM attestation WHERE kind = ? ORDER BY size DESC, name LIMIT ?

-- name: row_replace
UPDATE journal SET row = ? WHERE seq = ?

-- name: pseudonym_remove
DELETE FROM pseudonym WHERE segment = ? AND pseudonym = ? AND seq = ?

-- name: row
SELECT row FROM journal WHERE seq = ?

-- name: heads_between
SELECT count(*), coalesce(group_concat(hex(head), ''), '')
FROM (SELECT substr(row, 1, 96) AS head FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq)

-- name: rows_between
SELECT seq, row FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq

-- name: rows_after
SELECT seq, row FROM journal WHERE seq > ? ORDER BY seq LIMIT ?

-- name: rows_after_naming
SELECT seq, row FROM journal WHERE seq > ? AND instr(row, CAST(? AS BLOB)) > 0 ORDER BY seq

-- name: row_by_id
SELECT journal.seq, journal.row FROM record_id CROSS JOIN journal USING (seq) WHERE record_id.id = ?

-- name: open_rows
SELECT journal.seq, journal.row FROM open_request CROSS JOIN journal USING (seq) ORDER BY journal.seq

-- name: record_id_add
INSERT OR IGNORE INTO record_id (id, seq) VALUES (?, ?)

-- name: open_request_add
INSERT OR IGNORE INTO open_request (id, seq) VALUES (?, ?)

-- name: open_request_end
DELETE FROM open_request WHERE id = ?

-- name: term_count
INSERT INTO term (field, value, records) VALUES (?, ?, ?)
ON CONFLICT (field, value) DO UPDATE SET records = records + excluded.records RETURNING id

-- name: term_find
SELECT id, records FROM term WHERE field = ? AND value = ?

-- name: services_of
SELECT id FROM term WHERE field = 'service' AND value >= ?1 || '/' AND value < ?1 || '0'

-- name: postings_add
INSERT INTO posting (term, seq) SELECT ?, value FROM carray(?)

-- name: pseudonym_add
INSERT OR IGNORE INTO pseudonym (segment, pseudonym, seq) VALUES (?, ?, ?)

-- name: minute_add
INSERT INTO minute (minute, first_seq, last_seq) VALUES (?, ?, ?)
ON CONFLICT (minute) DO UPDATE
SET first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)

-- name: minutes_span
SELECT min(first_seq), max(last_seq) FROM minute WHERE minute BETWEEN ? AND ?

-- name: epoch_span_add
INSERT INTO epoch_span (epoch, first_seq, last_seq) VALUES (?, ?, ?)
ON CONFLICT (epoch) DO UPDATE
SET first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)

-- name: epoch_spans
SELECT epoch, first_seq, last_seq FROM epoch_span

-- name: ending_add
INSERT OR IGNORE INTO ending (id, seq) VALUES (?, ?)

-- name: endings
SELECT journal.seq, journal.row FROM carray(?) AS asked CROSS JOIN ending ON ending.id = asked.value
CROSS JOIN journal ON journal.seq = ending.seq
