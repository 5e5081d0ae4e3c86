"""An export proves itself: whatever is edited, dropped, added or reordered in it is found, with the log's key alone."""

import base64
import csv
import io
import json
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.export_fold import LeftwardFold, cover
from gateway.ledger.merkle import leaf_hash, root
from gateway.ledger.note import KeyType
from tests.support.audit import CHILD, FATHER, MOTHER, STORY, Entry, reader, settle, tell_story
from tests.support.cli import good, refused, run
from tests.support.gateways import PORTAL, make_site
from tests.support.ledger import signing_key

MORE = tuple(Entry(name=f"more {number}", asked=(FATHER,), released=(FATHER,)) for number in range(4))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9")
    tell_story(made, (*STORY, *MORE))
    return made


@pytest.fixture(scope="module")
def exports(site, tmp_path_factory):
    """The same records exported both ways: those about one person, with gaps between them."""
    folder = tmp_path_factory.mktemp("exports")
    made = {}
    for kind in ("jsonl", "csv"):
        made[kind] = folder / f"export.{kind}"
        export(site, made[kind], "--officer", f"{PORTAL}:nv.an")
    return made


def export(site, out, *conditions):
    return good("log", "export", "--format", out.suffix[1:], "--out", out, *conditions, *reader(site))


def verify(site, file, *more):
    return ["log", "verify", file, "--vkey", site.pki.log_vkey, *more]


def faults(site, tmp_path, kind, text):
    """What the verifier says of an altered export."""
    file = tmp_path / f"altered.{kind}"
    file.write_text(text, newline="")
    ran = run(*verify(site, file, "--json"))
    assert ran.code == 1, ran.said
    assert ran.values["valid"] is False
    return " | ".join(ran.values["faults"])


def lines_of(file):
    return file.read_text().splitlines(keepends=True)


def cells_of(file):
    with file.open(newline="") as opened:
        return list(csv.reader(opened))


def table_of(cells):
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(cells)
    return written.getvalue()


# -- what is in it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_it_verifies_offline(site, exports, kind):
    found = good(*verify(site, exports[kind], "--json")).values
    assert (found["valid"], found["rows"], found["opened"]) == (True, 8, 8)
    assert json.loads(found["question"])["officer"] == [str(PORTAL), "nv.an"]
    assert "8 rows are records of" in good(*verify(site, exports[kind])).out


def test_it_verifies_by_either_key_of_the_log_and_by_a_trust_list(site, exports):
    """The log has changed its key since: whoever names both, or the list that does, still verifies it."""
    new, _ = signing_key("the log's next key", "motlan.example/log")
    file, old = exports["jsonl"], site.pki.log_vkey
    for keys in ((old, new.encode()), (new.encode(), old)):
        good("log", "verify", file, *(word for key in keys for word in ("--vkey", key)))
    assert "log_signature_invalid" in refused("log", "verify", file, "--vkey", new.encode())
    signers = [word for key in site.pki.signer_keys for word in ("--signer", key)]
    listed = ("--trust", site.pki.trust_list, *signers, "--required", "2")
    assert good("log", "verify", file, *listed, "--json").values["valid"] is True
    assert "--signer" in refused("log", "verify", file, "--trust", site.pki.trust_list, code=2)
    assert "--vkey" in refused("log", "verify", file, code=2)


def test_particular_witnesses_can_be_demanded_of_it(site, exports, tmp_path):
    witness, _ = signing_key("w", "witness.example/w", KeyType.COSIGNATURE)
    policy = tmp_path / "w.policy"
    policy.write_text(f"witness ministry {witness.encode()}\nquorum ministry\n")
    ran = run(*verify(site, exports["csv"], "--witness-policy", policy, "--json"))
    assert (ran.code, ran.values["valid"]) == (1, False)
    assert "not there: ministry" in ran.said
    assert run(*verify(site, exports["csv"], "--witness", witness.encode(), "--quorum", "1")).code == 1


def test_rows_have_index_and_leaf_of_the_log(exports):
    *rows, last = [json.loads(line) for line in lines_of(exports["jsonl"])]
    assert [row["index"] for row in rows] == sorted((row["index"] for row in rows), reverse=True)
    assert all(len(row["leaf"]) == 64 for row in rows)
    assert {field[1] for row in rows for field in row["openings"]["fields"] if field[0] == "person"} == {FATHER, CHILD}
    assert last["receipt"].startswith("c2sp.org/tlog-proof@v1\n")


def test_a_table_reads_like_one(exports):
    head, *rows, last = cells_of(exports["csv"])
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert {each["officer"] for each in told} == {"nv.an"}
    assert [each["persons"] for each in told].count(FATHER) == 7
    assert last[0] == "#motlan-export/1"


def test_what_a_spreadsheet_would_run_is_a_text(site, tmp_path):
    made = tell_story(site, (Entry(name="formula", asked=(MOTHER,), case="=HYPERLINK(1)", officer="+1"),))
    out = tmp_path / "formula.csv"
    export(site, out, "--about-case", "=HYPERLINK(1)")
    head, row, _ = cells_of(out)
    told = dict(zip(head, row, strict=True))
    assert (told["record"], told["case"], told["officer"]) == (made.requests["formula"], "'=HYPERLINK(1)", "'+1")
    good(*verify(site, out))


def test_vietnamese_with_a_mark_for_excel(site, tmp_path):
    out = tmp_path / "excel.csv"
    said = run("log", "export", "--format", "csv", "--bom", "--out", out, "--kind", "answer", *reader(site), lang="vi")
    assert said.code == 0
    assert out.read_bytes().startswith("\ufeffvị trí,bản ghi,".encode())
    good(*verify(site, out))


def test_nobody_is_named_without_the_private_fields(site, tmp_path):
    out = tmp_path / "public.jsonl"
    export(site, out, "--without-private", "--person", FATHER)
    text = out.read_text()
    for person in (FATHER, MOTHER, CHILD):
        assert person not in text
        assert person not in base64.b64decode(re.search(r"extra ([^\\]+)", text)[1]).decode()
    assert good(*verify(site, out, "--json")).values["opened"] == 0


def test_to_standard_output(site, tmp_path):
    command = [sys.executable, "-m", "gateway.cli", "log", "export", "--format", "csv", *map(str, reader(site))]
    ended = subprocess.run([*command, "--limit", "3"], check=True, capture_output=True)
    out = tmp_path / "piped.csv"
    out.write_bytes(ended.stdout)
    assert good(*verify(site, out, "--json")).values["rows"] == 3


def test_from_nothing_found(site, tmp_path):
    out = tmp_path / "none.csv"
    export(site, out, "--about-case", "nobody's")
    assert good(*verify(site, out, "--json")).values["rows"] == 0
    assert "is there already" in refused("log", "export", "--format", "csv", "--out", out, *reader(site))


def test_it_is_a_record_before_it_is_a_file(site, tmp_path):
    out = tmp_path / "recorded.jsonl"
    export(site, out, "--kind", "answer")
    settle(site)
    record = good(*verify(site, out, "--json")).values["record"]
    (shown,) = good("log", "show", record, *reader(site), "--json").values
    fields = {one["name"]: one["value"] for one in shown["private"]}
    assert (fields["auditor"], fields["reason"], fields["rows"]) == ("Kiem", "complaint", fields["found"])
    assert oct(out.stat().st_mode & 0o777) == "0o600"


# -- what was done to it ----------------------------------------------------------------------------------------------


def edited_skeleton(line):
    return line.replace('"outcome":"FOUND"', '"outcome":"DONE"').replace('"kind":"request"', '"kind":"refusal"')


def releafed(line):
    """Edited with its leaf hash made right again, as somebody who knows the format would."""
    row = json.loads(edited_skeleton(line))
    text = re.search(r'"skeleton":(.*)}\n', edited_skeleton(line))[1]
    from gateway.ledger.skeleton import entry_of  # noqa: PLC0415 - this attack alone

    return edited_skeleton(line).replace(row["leaf"], leaf_hash(entry_of(text.encode())).hex())


LINES = {
    "a record is edited": (
        lambda rows: [edited_skeleton(rows[0]), *rows[1:]],
        r"row 1 \(entry \d+\): record .* was altered",
    ),
    "and its leaf made right": (lambda rows: [rows[0], releafed(rows[1]), *rows[2:]], "do not lead to the checkpoint"),
    "a person is exchanged": (
        lambda rows: [rows[0].replace(FATHER, MOTHER), *rows[1:]],
        "private field 0 is not at its place|the record commits to no such field",
    ),
    "the first is dropped": (lambda rows: rows[1:], "do not lead|rows were exported"),
    "one in the middle is dropped": (lambda rows: [*rows[:3], *rows[4:]], "row 4 .*it is not the next row"),
    "the last is dropped": (lambda rows: [*rows[:-2], rows[-1]], "rows were exported|do not lead"),
    "two change places": (lambda rows: [rows[1], rows[0], *rows[2:]], "out of its order"),
    "one is there twice": (lambda rows: [rows[0], *rows], "out of its order, or there twice"),
    "an index is another": (
        lambda rows: [re.sub(r'"index":(\d+)', lambda at: f'"index":{int(at[1]) + 1}', rows[0]), *rows[1:]],
        "not the next row|do not lead",
    ),
    "hashes between rows are lost": (
        lambda rows: [*rows[:-1], re.sub(r'"gap":"[^"]+"', '"gap":""', rows[-1])],
        "do not lead",
    ),
    "the end is cut off": (lambda rows: rows[:-1], "the end is missing"),
    "something follows the end": (lambda rows: [*rows, rows[0]], "behind the end"),
    "a line is no JSON": (lambda rows: ["{}\n", *rows], "row 1: the line is none"),
}


@pytest.mark.parametrize("what", LINES)
def test_whatever_is_done_to_its_lines_is_found(site, exports, tmp_path, what):
    change, fault = LINES[what]
    assert re.search(fault, faults(site, tmp_path, "jsonl", "".join(change(lines_of(exports["jsonl"])))))


def told(cells, heading, change):
    at = cells[0].index(heading)
    return [cells[0], [*cells[1][:at], change(cells[1][at]), *cells[1][at + 1 :]], *cells[2:]]


CELLS = {
    "a person": (lambda cells: told(cells, "persons", lambda _: MOTHER), "person: not what its record says"),
    "an outcome": (lambda cells: told(cells, "outcome", lambda _: "DENIED"), "outcome: not what its record says"),
    "an officer": (lambda cells: told(cells, "officer", lambda _: "nv.binh"), "officer: not what its record says"),
    "a leaf": (lambda cells: told(cells, "leaf hash", lambda text: text[::-1]), "was altered"),
    "the skeleton": (
        lambda cells: told(cells, "skeleton", lambda text: text.replace("request", "refusal")),
        "kind: not what its record says",
    ),
    "a column": (lambda cells: [[*row[:3], *row[4:]] for row in cells], "headings of an export"),
    "a heading": (lambda cells: [["a", *cells[0][1:]], *cells[1:]], "headings of an export"),
    "two rows": (lambda cells: [cells[0], cells[2], cells[1], *cells[3:]], "out of its order"),
    "a row left out": (lambda cells: [*cells[:3], *cells[4:]], "not the next row"),
    "the end left out": (lambda cells: cells[:-1], "the end is missing"),
}


@pytest.mark.parametrize("what", CELLS)
def test_whatever_is_done_to_its_cells_is_found(site, exports, tmp_path, what):
    change, fault = CELLS[what]
    assert fault in faults(site, tmp_path, "csv", table_of(change(cells_of(exports["csv"]))))


def test_a_row_hidden_among_the_hashes(site, exports, tmp_path):
    """Somebody who knows the format drops a row and puts its hash among those around it: the root is right, and the log
    still says how many rows there were.
    """
    rows = [json.loads(line) for line in lines_of(exports["jsonl"])]
    dropped, after, before = rows[3], rows[4], rows[2]
    fold = LeftwardFold()
    hashes = [base64.b64decode(row["gap"]) for row in (dropped, after)]
    split = [[each[at : at + 32] for at in range(0, len(each), 32)] for each in hashes]
    assert fold.push_gap(dropped["index"] + 1, before["index"], split[0])
    fold.push(0, dropped["index"], bytes.fromhex(dropped["leaf"]))
    assert fold.push_gap(after["index"] + 1, dropped["index"], split[1])
    gap = base64.b64encode(b"".join(digest for _, _, digest in fold._nodes)).decode()
    lines = lines_of(exports["jsonl"])
    lines[4] = re.sub(r'"gap":"[^"]*"', lambda _: f'"gap":"{gap}"', lines[4])
    del lines[3]
    assert faults(site, tmp_path, "jsonl", "".join(lines)) == "8 rows were exported, 7 are here"


def test_the_end_of_something_else(site, exports, tmp_path):
    """A receipt of this log, of a record that is no export."""
    record = json.loads(lines_of(exports["jsonl"])[0])["skeleton"]["id"]
    proof = tmp_path / "answer.tlog-proof"
    good("log", "receipt", record, "--config", site.config, "--out", proof)
    rows = lines_of(exports["jsonl"])
    last = {**json.loads(rows[-1]), "receipt": proof.read_text()}
    said = faults(site, tmp_path, "jsonl", "".join([*rows[:-1], json.dumps(last) + "\n"]))
    assert "not of an export" in said


def test_another_log(site, exports):
    vkey = site.pki.log_vkey.replace("motlan.example", "other.example")
    assert run("log", "verify", exports["csv"], "--vkey", vkey).code == 1
    assert run("log", "verify", exports["csv"]).code == 2
    good("log", "verify", exports["csv"], "--config", site.config)


@pytest.mark.parametrize(
    "text", ["", "\n", "a,b\n", '{"format":1}\n', '"', "\udcff".encode("utf-8", "replace").decode()]
)
def test_what_is_no_export(site, tmp_path, text):
    faults(site, tmp_path, "csv", text)


# -- the fold ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(size=st.integers(1, 70), data=st.data())
def test_any_leaves_with_the_hashes_between_them_come_to_the_root(size, data):
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    shown = sorted(data.draw(st.sets(st.integers(0, size - 1))), reverse=True)

    def node(level, index):
        return root(leaves[index << level : (index + 1) << level])

    fold, before = LeftwardFold(), size
    for index in shown:
        assert fold.push_gap(index + 1, before, [node(*each) for each in cover(index + 1, before)])
        fold.push(0, index, leaves[index])
        before = index
    assert fold.root(size) is None or before == 0
    assert fold.push_gap(0, before, [node(*each) for each in cover(0, before)])
    assert fold.root(size) == root(leaves)
    assert fold.root(size + 1) is None
