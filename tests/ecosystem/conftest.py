"""Extensions by others, used with route files.

Decorators see a handler while its file is loaded; code that reads ``app.view_functions`` sees the
view of the file. Each test file says what would go wrong if that view were a plain closure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

import pytest
from flask import Flask

from tests.ecosystem.support import SECRET


@pytest.fixture
def make_project(make_app: Callable[..., Flask]) -> Callable[..., tuple[Flask, ModuleType]]:
    """Create an app and its ``app/extensions.py``, which has the extension objects."""

    def make(extensions: str, files: Mapping[str, str]) -> tuple[Flask, ModuleType]:
        app = make_app({"../extensions.py": extensions, **files})
        app.secret_key = SECRET
        return app, import_module("..extensions", app.blueprints["api"].import_name)

    return make
