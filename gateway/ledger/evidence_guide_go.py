"""What ``VERIFY.md`` runs of other people's log verifiers: a Go program that only calls their libraries, and their own.

The program is kept a second time, with its ``go.sum``, in ``docs/samples/receipts``; a test holds the two together.
"""

from typing import Final

MODULES: Final = (
    "github.com/transparency-dev/formats@v0.1.1",
    "github.com/transparency-dev/merkle@v0.0.2",
    "github.com/transparency-dev/tessera@v1.0.4",
)
"""Its requirements; ``go.sum`` and the checksum database pin the rest."""
CHECKER: Final = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4"
"""Reads a whole tlog-tiles log and derives its tree anew."""

PROGRAM: Final = r"""// Verifies receipts (.tlog-proof) of Motlan's log. Other people's libraries do every check:
//
//	receipts [-witnesses FILE [-quorum N]] [-log URL] LOG.vkey RECEIPT...
//
// FILE holds witnesses' verifier keys, one a line; N of them must have cosigned. With -log, the log's newest checkpoint
// must extend the receipts'.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/transparency-dev/formats/log"
	vkeys "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	witnesses := flag.String("witnesses", "", "file of witnesses' verifier keys")
	quorum := flag.Int("quorum", 0, "how many witnesses must have cosigned")
	address := flag.String("log", "", "the log's URL")
	flag.Parse()
	if flag.NArg() < 2 {
		must("receipts", errors.New("say the log's key and at least one receipt"))
	}
	key := keys(flag.Arg(0))[0]
	var others []note.Verifier
	if *witnesses != "" {
		others = keys(*witnesses)
	}
	for _, file := range flag.Args()[1:] {
		tree, cosigned := check(file, key, others)
		if cosigned < *quorum {
			must(file, fmt.Errorf("%d of these witnesses have cosigned, %d must", cosigned, *quorum))
		}
		if *address != "" {
			extended(*address, key, tree)
		}
	}
}

// check verifies a receipt: signatures of its checkpoint, and that the record's entry is in that tree. It gives the
// tree, and how many witnesses have cosigned it.
func check(file string, key note.Verifier, witnesses []note.Verifier) (*log.Checkpoint, int) {
	var receipt proof.TLogProof
	extra := read(file, &receipt)
	tree, _, signed, err := log.ParseCheckpoint(receipt.Checkpoint, key.Name(), key, witnesses...)
	must(file, err)
	var shown struct{ Skeleton string }
	must(file, json.Unmarshal(extra, &shown))
	record := sha256.Sum256([]byte("motlan/record/v1\n" + shown.Skeleton))
	leaf := rfc6962.DefaultHasher.HashLeaf(append([]byte{1}, record[:]...))
	var path [][]byte
	for i := range receipt.Hashes {
		path = append(path, receipt.Hashes[i][:])
	}
	must(file, merkle.VerifyInclusion(rfc6962.DefaultHasher, receipt.Index, tree.Size, leaf, path, tree.Hash))
	var said struct{ ID, Kind, At string }
	must(file, json.Unmarshal([]byte(shown.Skeleton), &said))
	fmt.Printf("%s: record %s (%s, %s) is entry %d of %s, tree of %d\n",
		file, said.ID, said.Kind, said.At, receipt.Index, tree.Origin, tree.Size)
	cosigned := 0
	for _, each := range signed.Sigs {
		if each.Name != key.Name() || each.Hash != key.KeyHash() {
			when, err := vkeys.CoSigV1Timestamp(each)
			must(file, err)
			fmt.Printf("  cosigned by %s at %s\n", each.Name, when.UTC().Format(time.RFC3339))
			cosigned++
		}
	}
	return tree, cosigned
}

// extended verifies that the log as it is now begins with this tree.
func extended(address string, key note.Verifier, tree *log.Checkpoint) {
	ctx := context.Background()
	at, err := url.Parse(address)
	must(address, err)
	tiles, err := client.NewHTTPFetcher(at, nil)
	must(address, err)
	now, _, _, err := client.FetchCheckpoint(ctx, tiles.ReadCheckpoint, key, key.Name())
	must(address, err)
	proofs, err := client.NewProofBuilder(ctx, now.Size, tiles.ReadTile)
	must(address, err)
	path, err := proofs.ConsistencyProof(ctx, tree.Size, now.Size)
	must(address, err)
	must(address, merkle.VerifyConsistency(rfc6962.DefaultHasher, tree.Size, now.Size, path, tree.Hash, now.Hash))
	fmt.Printf("  the log's tree of %d extends it\n", now.Size)
}

// read parses a receipt; its extra data. The library takes lines of up to 64 KiB: a longer "extra", which no check
// but that of the record's hash needs, goes round it.
func read(file string, receipt *proof.TLogProof) []byte {
	data, err := os.ReadFile(file)
	must(file, err)
	lines := bytes.SplitN(data, []byte("\n"), 3)
	var extra []byte
	if len(lines) == 3 && len(lines[1]) >= 60_000 && bytes.HasPrefix(lines[1], []byte("extra ")) {
		extra, err = base64.StdEncoding.DecodeString(string(lines[1][len("extra "):]))
		must(file, err)
		data = bytes.Join([][]byte{lines[0], lines[2]}, []byte("\n"))
	}
	must(file, receipt.Unmarshal(data))
	return append(extra, receipt.ExtraData...)
}

// keys reads verifier keys, one a line.
func keys(file string) []note.Verifier {
	data, err := os.ReadFile(file)
	must(file, err)
	var found []note.Verifier
	for _, line := range strings.Fields(string(data)) {
		key, err := vkeys.NewVerifier(line)
		must(file, err)
		found = append(found, key)
	}
	if len(found) == 0 {
		must(file, errors.New("no verifier key"))
	}
	return found
}

func must(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: NOT VERIFIED: %v\n", what, err)
		os.Exit(1)
	}
}
"""

RECEIPTS: Final = """
With transparency-dev's libraries in Go (1.25 or newer, and its module proxy or a cache of these modules): the program
only hands over to them. It proves that each record is in the log, says which of your witnesses have cosigned that, and
refuses what does not hold:

```sh go
mkdir -p "$TMPDIR/receipts"
cat > "$TMPDIR/receipts/main.go" <<'PROGRAM'
{program}PROGRAM
(
  set -e
  cd "$TMPDIR/receipts"
  rm -f go.mod go.sum receipts
  go mod init receipts
  go get {modules}
  go build -o receipts .
)
"$TMPDIR/receipts/receipts" ${{WITNESSES:+-witnesses "$WITNESSES"}} log/log.vkey {receipts}
```

### The whole log, over HTTP
Needs the log's URL, `LOG_URL` above, and nothing of a password or account: entries are hashes. The first command proves
that the log as it is now begins with the tree of these receipts; the second reads all of it and derives the tree anew
from the entries. It says `Successfully fsck'd` at its end or it has not verified: its exit status says nothing, and
where many tiles are wrong it stands still.

```sh go online
"$TMPDIR/receipts/receipts" -log "$LOG_URL" log/log.vkey {receipts}
go run {checker} \\
  --ui=false --N=8 --storage_url="$LOG_URL" --public_key=log/log.vkey 2>&1 | tee "$TMPDIR/fsck.txt"
grep "Successfully fsck'd" "$TMPDIR/fsck.txt"
```
"""
