"""The kinds of structured types, as code for route files, and apps with one route file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, write_files

KINDS = ("model", "pydantic dataclass", "dataclass", "TypedDict", "Struct", "attrs")

#: The kinds that msgspec validates, which reports the first error only.
OF_MSGSPEC = ("Struct", "attrs")

each_kind = pytest.mark.parametrize("kind", KINDS)

IMPORTS = """
from collections.abc import *
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import *
from uuid import UUID

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
from flask import abort, current_app, g, redirect, request as current, session
from pydantic import BaseModel, Field, Json
from werkzeug.datastructures import Authorization, FileStorage
from werkzeug.exceptions import Conflict, Forbidden, Gone, HTTPException, NotFound, Unauthorized

from flask_routehandlers import *
"""

_HEADS = {
    "model": "class {name}({base}BaseModel):",
    "pydantic dataclass": "@pydantic.dataclasses.dataclass\nclass {name}{base}:",
    "dataclass": "@dataclass\nclass {name}{base}:",
    "TypedDict": "class {name}({base}TypedDict):",
    "Struct": "class {name}({base}msgspec.Struct):",
    "attrs": "@attrs.define\nclass {name}{base}:",
}


def declare(kind: str, name: str, /, _base: str = "", **fields: str) -> str:
    """Return the code of a structured type.

    :param fields: the annotation of each field, with its default: ``"int = 3"``. A key of a
        TypedDict has no default, so it may be absent.
    """
    base = _base
    if base:
        base = f"({base})" if "{base}:" in _HEADS[kind] else f"{base}, "
    if kind in ("model", "Struct") and _base:  # one base is enough, and TypedDict takes no other
        base = f"{_base}, "
    lines = [_HEADS[kind].format(name=name, base=base)]
    for field, annotation in fields.items():
        if kind == "TypedDict" and " = " in annotation:
            annotation = f"NotRequired[{annotation.partition(' = ')[0]}]"
        lines.append(f"    {field}: {annotation}")
    return "\n".join([*lines, *(["    pass"] if not fields else []), ""])


def limited(kind: str) -> str:
    """Return the code of types with constraints: ``Small`` and ``Title``."""
    if kind in OF_MSGSPEC:
        return (
            "Small = Annotated[int, msgspec.Meta(ge=0, le=100)]\n"
            "Title = Annotated[str, msgspec.Meta(min_length=1)]\n"
        )
    return (
        "Small = Annotated[int, Field(ge=0, le=100)]\n"
        "Title = Annotated[str, Field(min_length=1)]\n"
    )


def one_route(
    folder: Path, code: str, options: Mapping[str, Any] | None = None, **config: Any
) -> Flask:
    """Return an app with one route file, at ``/api/x``.

    :param folder: a folder of its own.
    :param options: arguments of ``RouteHandlers``.
    :param config: settings of the app.
    """
    write_files(folder / "app/api", {"x/route.py": IMPORTS + code})
    app = bare_app(folder)
    app.config |= config
    RouteHandlers(app, **options or {})
    return app
