"""What passes between consumer and provider: paths never leave their base, and nobody speaks for us."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.rest.passing import check_path, end_to_end, join_target


@pytest.mark.parametrize(
    ("base", "path", "query", "target"),
    [
        ("", "", None, "/"),
        ("", "/a", None, "/a"),
        ("/api", "", None, "/api"),
        ("/api", "", "x=1", "/api?x=1"),
        ("/api/", "", None, "/api/"),
        ("/api/", "/a", None, "/api/a"),
        ("/api", "/a/", "", "/api/a/?"),
        ("/api", "/a%2Fb;v=1/c.d/...", "q=../..", "/api/a%2Fb;v=1/c.d/...?q=../.."),
        ("/api", "/%C4%91", "a=%0A", "/api/%C4%91?a=%0A"),
    ],
)
def test_path_and_query_are_joined_as_they_are(base, path, query, target):
    assert join_target(base, path, query) == target


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "/..",
        "/../admin",
        "/a/../../b",
        "/a/./b",
        "/%2e%2e/b",
        "/%2E./b",
        "/a/..%2fb",
        "/a%2f..%2fb",
        "/%252e%252e/b",
        "/a%252f..",
        "/..;x=1/b",
        "//b",
        "/a//b",
        "/a\\..\\b",
        "/a%5cb",
        "/a%00b",
        "/a%0d%0ab",
        "/a b",
        "/a#b",
        "/a%",
        "/a%zz",
        "/đ",
        "/a\n",
    ],
)
def test_paths_that_could_leave_the_base_or_are_none_are_refused(path):
    with pytest.raises(ValueError):
        join_target("/api", path, None)


@given(st.lists(st.sampled_from(["a", ".", "..", "%2e", "%2E%2E", "%252e", "b.c", ";", "%5c", "..%2f", "é", ""])))
@settings(max_examples=100, deadline=None)
def test_what_is_joined_stays_below_the_base(segments):
    path = "/" + "/".join(segments)
    try:
        check_path(path)
        target = join_target("/api", path, None)
    except ValueError:
        return
    depth = 0
    for segment in target.split("/")[2:]:
        assert segment.lower() not in {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."}
        depth += 1
    assert depth >= 1


@pytest.mark.parametrize("query", ["a b", "a#b", "a\r\nb", "đ"])
def test_queries_that_end_the_target_are_refused(query):
    with pytest.raises(ValueError):
        join_target("/api", "", query)


def test_only_end_to_end_fields_that_are_the_providers_own_pass():
    kept = (
        ("Content-Type", "application/json"),
        ("ETag", '"1"'),
        ("X-Correlation", "1"),
        ("X-Correlation", "2"),
    )
    dropped = (
        ("Set-Cookie", "a"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "1"),
        ("Server", "x"),
        ("X-Road-Error", "forged"),
        ("x-road-id", "forged"),
        ("Motlan-Receipt", "forged"),
        ("Motlan-Outcome", "FOUND"),
        ("Signature", "x=:1:"),
        ("Signature-Input", "x=()"),
        ("Content-Digest", "x"),
        ("Strict-Transport-Security", "max-age=1"),
    )
    mixed = tuple(sum(zip(dropped, [*kept, *[("X-Fill", "1")] * (len(dropped) - len(kept))], strict=True), ()))
    assert [each for each in end_to_end(mixed) if each[0] != "X-Fill"] == list(kept)
