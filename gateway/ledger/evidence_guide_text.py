"""The fixed parts of ``VERIFY.md``. Braces of Python code are doubled where a part is formatted."""

from typing import Final

OPENING: Final = """# How to check this evidence

An ASiC-E container (ETSI EN 319 162-1), made {made} by {build}. It holds:

{records}

Everything below runs in the folder that the container was unzipped into, with other people's tools, and needs nothing
of the gateway's: openssl, xmlsec1, sha256sum, Go, and Python with the packages cryptography, joserfc, lxml and
http-message-signatures. `motlan evidence verify FILE --trust TRUSTLIST --tsa-ca ROOTS` does all of it at once.

Bring from sources of your own, not out of this container: the trust list's signers' public keys (PEM) and how many of
them must have signed, the root certificates of the timestamp authority (PEM), the log's URL, and, if you know any, the
witnesses' verifier keys. What a container says of itself is believed by nobody, nor is this page: read a command before
you run it. A block that fails has proved nothing. One in Python is pasted after `python3 -`, and ended with Ctrl-D.

```sh
export TMPDIR="${{TMPDIR:-/tmp}}"            # a folder for a few files
export SIGNERS="${{SIGNERS:-signers/*.pem}}"  # your trust list signers' public keys
export REQUIRED="${{REQUIRED:?set it}}"      # how many of them must have signed: as you were told, not as a list says
export TSA_ROOTS="${{TSA_ROOTS:-tsa.pem}}"    # your timestamp authority's roots
export WITNESSES="${{WITNESSES:-}}"           # a file with witnesses' verifier keys, one a line; may be empty
export LOG_URL="${{LOG_URL:-https://{origin}}}"
```

## 1. What is in it
`META-INF/manifest.xml` lists every file; `evidence.json` says which records there are; `decision.json` what was
decided, and the grant. Documents and trust lists are named by their SHA-256, which the records carry (`in_force` in
`decision.json`; of a trust list that of its payload):

```sh
cat evidence.json; echo
sha256sum in-force/* trust/*.json
```
"""

STAMPED_SIGNATURE: Final = """
Its SignatureTimeStamp is over the canonical ds:SignatureValue (C14N 1.1; nothing in the file tells it from 1.0):

```python
import base64, os
from lxml import etree

root = etree.parse("META-INF/signatures.xml").getroot()
(value,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureValue")
(token,) = root.iter("{http://uri.etsi.org/01903/v1.3.2#}EncapsulatedTimeStamp")
folder = os.environ["TMPDIR"]
with open(f"{folder}/signature-value.xml", "wb") as file:
    file.write(etree.tostring(value, method="c14n", with_tail=False))
with open(f"{folder}/signature.tst", "wb") as file:
    file.write(base64.b64decode(token.text))
```

```sh
openssl ts -verify -attime {at} -token_in -in "$TMPDIR/signature.tst" \\
  -data "$TMPDIR/signature-value.xml" -CAfile "$TSA_ROOTS"
openssl ts -reply -token_in -in "$TMPDIR/signature.tst" -token_out -text
```
"""

TRUST: Final = """## 3. The trust lists
Each is a JWS (general JSON, `typ` `motlan-trust+jwt`), `kid` the SHA-256 of the signer's public key:

```python
import base64, glob, hashlib, json, os
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

signers, required = {}, int(os.environ["REQUIRED"])
for name in glob.glob(os.environ["SIGNERS"]):
    pem = open(name, "rb").read()
    der = load_pem_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    kid = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    for kind in (ECKey, OKPKey, RSAKey):
        try:
            signers[kid] = kind.import_key(pem)
        except Exception:
            continue
for name in LISTS:
    whole = json.load(open(name))
    signed_by = set()
    for one in whole["signatures"]:
        compact = f"{one['protected']}.{whole['payload']}.{one['signature']}"
        header = json.loads(base64.urlsafe_b64decode(one["protected"] + "==="))
        if header["kid"] in signers and header["typ"] == "motlan-trust+jwt":
            jws.deserialize_compact(compact, signers[header["kid"]], algorithms=["ES256", "ES384", "EdDSA", "PS256"])
            signed_by.add(header["kid"])
    payload = base64.urlsafe_b64decode(whole["payload"] + "===")
    assert payload == open(name.replace(".jws", ".json"), "rb").read()
    print(f"{name}: signed by {len(signed_by)} of your signers, {required} must")
    assert len(signed_by) >= required > 0
```
"""

LISTED: Final = """
That these certificates, the authorities of section 2, and the log's key of section 6 are the trust lists' own (run it
after section 3, which is what makes those lists believable), and that a gateway signed this container:

```python
import base64, hashlib, json
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree


def ders(name):
    return [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(open(name, "rb").read())]


listed, authorities, logs = {}, set(), set()
for name in LISTS:
    trust = json.load(open(name.replace(".jws", ".json")))
    listed |= {each["x5t#S256"]: (each["owner"], each["usage"], each["der"]) for each in trust["certificates"]}
    authorities |= {base64.b64decode(each) for each in trust["authorities"]}
    logs |= {each["vkey"] for each in trust.get("logs", [])}
for keyid in KEYIDS:
    owner, usage, der = listed[keyid]
    assert ders(f"certificates/{keyid}.pem") == [base64.b64decode(der)]
    assert base64.urlsafe_b64encode(hashlib.sha256(base64.b64decode(der)).digest()).rstrip(b"=").decode() == keyid
    print(f"{keyid}: {owner}, {usage}")
assert set(ders("certificates/authorities.pem")) <= authorities
assert all(ders(name)[0] in authorities for name in AUTHORITIES)
root = etree.parse("META-INF/signatures.xml").getroot()
(used,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
assert base64.b64decode(used.text) == ders("certificates/SIGNER.pem")[0]
assert listed["SIGNER"][1] == "gateway-sign"
vkey = open("log/log.vkey").read().strip()
assert vkey in logs, "no list names this log key: it is to be compared with a source of your own"
```
"""

RFC9421: Final = """
With an RFC 9421 library:

```python
from cryptography import x509
from http_message_signatures import algorithms

key = x509.load_pem_x509_certificate(open("{certificate}", "rb").read()).public_key()
base, signature = open("{stem}.base", "rb").read(), open("{stem}.signature", "rb").read()
algorithms.{algorithm}(public_key=key).verify(signature=signature, message=base)
print(base.decode("latin-1"))
```
"""

JOSE: Final = """
With a JOSE library:

```python
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import {kind}

key = x509.load_pem_x509_certificate(open("{certificate}", "rb").read()).public_key()
pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
token = open("{token}").read()
print(jws.deserialize_compact(token, {kind}.import_key(pem), algorithms=["{algorithm}"]).payload.decode())
```
"""

LOG: Final = """## 6. The records are in the log
Receipts are C2SP tlog-proof files over an RFC 6962 tree; any verifier for these takes them. `log/log.vkey` is the log's
key, which section 4 compares with the trust lists. In full, with no such verifier, and that the files in `messages` are
what the records say:

```python
import base64, glob, hashlib, json
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from lxml import etree


def sha(data):
    return hashlib.sha256(data).digest()


vkey = open("log/log.vkey").read().strip()
name, key_id, key = vkey.split("+", 2)
for role in ROLES:
    proof, _, note = open(f"records/{role}.tlog-proof", "rb").read().partition(b"\\n\\n")
    lines = proof.decode().split("\\n")
    extra, index = json.loads(base64.b64decode(lines[1][6:])), int(lines[2][6:])
    # The log signed this checkpoint.
    text, _, signatures = note.decode().rpartition("\\n\\n")
    public = base64.b64decode(key)
    assert sha(name.encode() + b"\\n" + public)[:4].hex() == key_id and public[0] == 1
    found = [base64.b64decode(each.split(" ")[2]) for each in signatures.splitlines() if each.startswith(f"— {name} ")]
    (signature,) = [each[4:] for each in found if each[:4].hex() == key_id]
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature, text.encode() + b"\\n")
    origin, size, root = text.split("\\n")[:3]
    assert origin == name
    # The hash of the record's skeleton is at this index of that tree (RFC 9162, 2.1.3.2).
    skeleton = extra["skeleton"].encode()
    assert skeleton == open(f"records/{role}.skeleton.json", "rb").read()
    node, at, last = sha(b"\\x00" + b"\\x01" + sha(b"motlan/record/v1\\n" + skeleton)), index, int(size) - 1
    for sibling in map(base64.b64decode, lines[3:]):
        if at % 2 or at == last:
            node = sha(b"\\x01" + sibling + node)
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            node = sha(b"\\x01" + node + sibling)
        at, last = at // 2, last // 2
    assert last == 0 and node == base64.b64decode(root)
    # What is shown is what the record commits to.
    openings, record = extra["openings"], json.loads(skeleton)
    for place, (field, salt) in enumerate(zip(openings["fields"], openings["salts"])):
        if field is not None:
            canonical = json.dumps(field, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
            opened = sha(b"motlan/field/v1\\n" + bytes.fromhex(salt) + canonical)
            assert opened.hex() == record["private"][place]
    # The files in messages/ are these fields.
    fields = [field for field in openings["fields"] if field is not None]
    bases = {value.encode(code) for name, value in fields if name.endswith("_base") for code in ("latin-1", "utf-8")}
    for file in glob.glob(f"messages/{role}-*.base"):
        assert open(file, "rb").read() in bases, file
    for file in glob.glob(f"messages/{role}-*.jwt"):
        assert open(file, "rb").read().rpartition(b".")[0] in bases, file
    for file in glob.glob(f"messages/{role}.body"):
        body = open(file, "rb").read()
        if ["body_sha256", sha(body).hex()] not in fields:  # of an answered envelope its signature says it, as XML
            (part,) = [each for each in etree.fromstring(body) if etree.QName(each).localname == "Body"]
            digest = base64.b64encode(sha(etree.tostring(part, method="c14n", exclusive=True, with_tail=False)))
            assert any(digest in base for base in bases), file
    print(f"{role}: record {record['id']} is entry {index} of {origin}, tree of {size}")
```

An answer belongs to its request: its record's `parent` is the request's `id`, and the gateway's signature over it
covers the caller's own (`"signature";req` in the base, `request_sha256` in a JWS, WS-Security's
SignatureConfirmation).
"""

CLOSING: Final = """## What this does not prove
That the log shows everybody the same history: only cosignatures of independent witnesses on the checkpoint do (lines
after the log's own signature in the `.tlog-proof` files). That a body which is not in the container had a certain
content: its SHA-256 (`body_sha256`) is, so whoever holds the body can show it. Fields that are withheld or erased.
"""
