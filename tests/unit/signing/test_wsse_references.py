"""The two ways to read SignedInfo agree wherever the short one answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ExchangeError
from gateway.signing.wsse_names import DS, EXCLUSIVE, SWA_CONTENT
from gateway.signing.wsse_references import any_layout, usual_layout
from gateway.signing.wsse_sign import sign_envelope
from gateway.signing.xml import parse
from tests.support import wsse as w


def _info(data):
    return next(parse(data).iter(f"{{{DS}}}SignedInfo"))


def _both(data):
    info = _info(data)
    short, long = usual_layout(info), any_layout(info)
    if short is not None:
        assert (short.base, short.method, short.prefixes, short.references) == (
            long.base, long.method, long.prefixes, long.references,
        )  # fmt: skip
    return short


SHORT = {
    "ours": lambda: sign_envelope(w.envelope(), key=w.key(), now=w.NOW).envelope,
    "by hand": w.craft,
    "xmlsec": lambda: w.by_xmlsec(w.DOCUMENT, ["#b0", "#b1", "#b2", "#body", "#time"]),
    "another prefix": lambda: w.craft().replace(b"<ds:", b"<d-s.2:").replace(b"</ds:", b"</d-s.2:").replace(b"xmlns:ds", b"xmlns:d-s.2"),
    "no prefix": lambda: w.craft().replace(b"<ds:", b"<").replace(b"</ds:", b"</").replace(b"xmlns:ds", b"xmlns"),
    "ids everywhere": lambda: w.craft(refs=[ref._replace(attributes=' Id="r"') for ref in w.REFS]),
    "SHA-512": lambda: w.craft(refs=[ref._replace(digest="http://www.w3.org/2001/04/xmlenc#sha512") for ref in w.REFS]),
}  # fmt: skip
LONG = {
    "indented": lambda: w.by_xmlsec(w.DOCUMENT, ["#body", "#time"], pretty=True),
    "a PrefixList": lambda: w.by_xmlsec(w.DOCUMENT, ["#body", "#time"], prefixes=("p",)),
    "an attachment": lambda: w.craft(
        refs=(*w.REFS, w.Ref("cid:a", octets=b"x", transforms=f'<ds:Transform Algorithm="{SWA_CONTENT}"/>'))
    ),
    "its own PrefixList": lambda: w.craft(
        c14n_inner=f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="s"/>'
    ),
}


@pytest.mark.parametrize("make", SHORT.values(), ids=SHORT)
def test_the_usual_is_read_the_short_way(make):
    assert _both(make()) is not None


@pytest.mark.parametrize("make", LONG.values(), ids=LONG)
def test_the_rest_is_read_the_long_way(make):
    assert _both(make()) is None


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_the_short_way_never_says_more_than_the_long_one(data):
    text = w.craft().decode()
    start, end = text.index("<ds:SignedInfo"), text.index("<ds:SignatureValue")
    at = data.draw(st.integers(start, end))
    inserted = data.draw(
        st.sampled_from(["x", " ", "<", ">", '"', "&#32;", "<x/>", "<!-- -->", 'Type="x" ', 'xmlns:ds="urn:x" ', "ds:"])
    )
    removed = data.draw(st.integers(0, 3))
    try:
        info = _info((text[:at] + inserted + text[at + removed :]).encode())
        short = usual_layout(info)
    except (ExchangeError, StopIteration):
        return
    if short is not None:
        long = any_layout(info)
        assert (short.base, short.method, short.references) == (long.base, long.method, long.references)
