"""Documents that the callers' listener shows: the API's description, and what each error means."""

import json
from html import escape
from pathlib import Path
from typing import Any

from gateway.model.errors import ErrorKind

Pages = dict[str, tuple[str, bytes]]
"""Path → content type and bytes."""

_HTML = "text/html; charset=utf-8"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #8886}code{font-size:.9em}:target{background:#fd06}"
)


def build_pages(openapi: Path, kinds: tuple[ErrorKind, ...]) -> Pages:
    """``/openapi.json``, ``/docs`` and ``/docs/errors``. openapi: the API's description. Raises OSError, ValueError."""
    text = openapi.read_bytes()
    return {
        "/openapi.json": ("application/json", text),
        "/docs": (_HTML, _api_page(json.loads(text)).encode()),
        "/docs/errors": (_HTML, _errors_page(kinds).encode()),
    }


def _api_page(api: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{method.upper()}</code><td><code>{escape(path)}</code><td>{escape(operation['summary'])}"
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    ]
    info = api["info"]
    body = (
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        f"<table><tr><th>Method<th>Path<th>What it does{''.join(rows)}</table>"
        '<p><a href="/openapi.json">openapi.json</a> · <a href="/docs/errors">Errors · Mã lỗi</a></p>'
    )
    return _page("Motlan", body)


def _errors_page(kinds: tuple[ErrorKind, ...]) -> str:
    rows = [
        f'<tr id="{kind.code}"><td><code>{kind.code}</code><td>{kind.status}<td>{kind.fault.value}'
        f"<td>{escape(kind.title.vi)}<br>{escape(kind.title.en)}<td>{escape(kind.next.vi)}<br>{escape(kind.next.en)}"
        for kind in kinds
    ]
    head = "<tr><th>Code<th>Status<th>Fault<th>What happened<th>What to do next"
    return _page("Motlan: errors", f"<h1>Errors · Mã lỗi</h1><table>{head}{''.join(rows)}</table>")


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{body}</html>"
    )
