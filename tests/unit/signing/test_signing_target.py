"""Public URLs and request targets, as they enter the signature base."""

import pytest

from gateway.signing.target import PublicUrl, public_url, split_url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://gw.example", "https://gw.example"),
        ("https://GW.Example:443/", "https://gw.example"),
        ("http://gw.example:80", "http://gw.example"),
        ("http://gw.example:443", "http://gw.example:443"),
        ("https://127.0.0.1:8443/base", "https://127.0.0.1:8443"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_origin_is_normalised(url, origin):
    parsed = public_url(url)
    assert parsed.origin == origin
    assert f"{parsed.scheme}://{parsed.authority}" == origin


@pytest.mark.parametrize(
    "url",
    ["gw.example", "ftp://gw.example", "https://", "https://u@gw.example", "https://gw example", "https://gw:99999",
     "https://gw:x", "https://gw.example:٤٤", "https://cổng.example", "https://[zz]"],
)  # fmt: skip
def test_impossible_urls_are_refused(url):
    with pytest.raises(ValueError):
        PublicUrl.parse(url)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://gw.example", "/"),
        ("https://gw.example?a=b", "/?a=b"),
        ("https://gw.example/a%2fb/./c?x=%20&y=/?", "/a%2fb/./c?x=%20&y=/?"),
        ("https://gw.example/?", "/?"),
    ],
)
def test_target_stays_raw(url, target):
    assert split_url(url) == (public_url("https://gw.example"), target)


@pytest.mark.parametrize("url", ["/relative", "https://gw.example/a#b", "//gw.example/a"])
def test_urls_that_cannot_be_sent_are_refused(url):
    with pytest.raises(ValueError):
        split_url(url)
