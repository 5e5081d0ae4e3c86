"""Adapters in the making, for tests: contracts of a register that does not exist."""

import json
from pathlib import Path
from typing import Any

from tests.support.cli import Ran, good, run

SERVICE = "VN/GOV/G15/registry/vehicle"

OPENAPI: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Đăng kiểm", "version": "1"},
    "servers": [{"url": "https://vehicles.example/api"}],
    "paths": {
        "/traCuu": {
            "post": {
                "operationId": "traCuuPhuongTien",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["soDinhDanh"],
                                "properties": {"soDinhDanh": {"type": "string", "pattern": "^[0-9]{12}$"}},
                            }
                        }
                    }
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/KetQua"}}}},
                    "404": {"description": "none"},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "KetQua": {
                "type": "object",
                "properties": {
                    "soDinhDanh": {"type": "string"},
                    "hoVaTen": {"type": "string"},
                    "ngaySinh": {"type": "string"},
                    "diaChi": {"type": "string"},
                    "soDienThoai": {"type": "string"},
                    "bienSo": {"type": "string"},
                    "taiTrong": {"type": "number"},
                    "ghiChu": {"type": "string"},
                    "lichSu": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"nguoiBan": {"type": "string"}, "lan": {"type": "integer"}},
                        },
                    },
                    "khac": {"type": "object"},
                },
            }
        }
    },
}


def openapi_file(folder: Path, document: Any = None) -> Path:
    """The contract's file."""
    file = folder / "vehicles.json"
    file.write_text(json.dumps(OPENAPI if document is None else document), encoding="utf-8")
    return file


def new_adapter(folder: Path, *more: object, document: Any = None) -> Path:
    """An adapter as the kit drafts it."""
    out = folder / "vehicle"
    contract = openapi_file(folder, document)
    good("adapter", "new", "--openapi", contract, "--service", SERVICE, "--out", out, *more)
    return out


def try_out(folder: Path, *more: object) -> tuple[Ran, Any]:
    """How ``adapter test`` ended, and its JSON."""
    ran = run("adapter", "test", folder, "--json", *more)
    return ran, ran.values if ran.out.startswith("{") else None


def change(file: Path, before: str, after: str) -> None:
    """Edit a file as an integrator does; what is edited must be there."""
    text = file.read_text(encoding="utf-8")
    assert before in text, text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
