"""The RealWorld API of ``tests/samples/conduit``, by the public collection and specification.

They are not part of this repository: the README of this folder says where they are.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.conformance.support import run, serve
from tests.conformance.test_schemathesis import check, prepare_conduit


@pytest.fixture
def realworld() -> Path:
    """Return the folder of the public files."""
    if "REALWORLD" not in os.environ:
        pytest.skip("REALWORLD does not name the folder of the collection")
    return Path(os.environ["REALWORLD"]).expanduser().resolve()


@pytest.fixture
def url(tmp_path):
    with serve("conduit", tmp_path) as served:
        yield f"{served.url}/api"


def test_the_collection_passes(realworld, url, tmp_path):
    values = {"USERNAME": "u1", "EMAIL": "u1@mail.com", "PASSWORD": "password", "APIURL": url}
    command = ["newman", "run", realworld / "Conduit.postman_collection.json"]
    command += ["--reporters", "json", "--reporter-json-export", tmp_path / "report.json"]
    for name, value in values.items():
        command += ["--global-var", f"{name}={value}"]
    run(command, tmp_path)
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assertions = report["run"]["stats"]["assertions"]
    assert (assertions["total"], assertions["failed"]) == (311, 0)


def test_the_specification_is_followed(realworld, url, tmp_path):
    """It leaves out 404 for what does not exist, and 400 and 415 for bodies that are not JSON."""
    options = ("--exclude-checks", "status_code_conformance", "--seed", 1)
    setup = prepare_conduit(url, "")
    output = check(url, realworld / "openapi.yml", tmp_path, setup, *options)
    assert "19 selected / 19 total" in output
