"""A folder is replaced as a whole, whatever happens in between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

import flask_routehandlers
from flask_routehandlers.cli.export import replacing as module
from flask_routehandlers.cli.export.replacing import InUseError, replacing
from tests.support import write_files

OLD = {"a": "old", "folder/b": "old"}
NEW = {"a": "new", "c/d": "new"}

#: Fill a folder without end, each time with one text in as many files.
FILLER = """
import sys
from pathlib import Path
from flask_routehandlers.cli.export import replacing as module

if sys.argv[2] == "two renames":
    module._exchange = lambda one, other: False
for n in range(10_000):
    with module.replacing(sys.argv[1], lambda: None) as new:
        for name in "abcdef":
            Path(new, name).mkdir()
            Path(new, name, "file").write_text(str(n))
    if n == 0:
        print("ready", flush=True)
"""


def contents(folder: Path) -> dict[str, str]:
    found = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    return dict(sorted(found.items()))


def beside(folder: Path) -> list[str]:
    return sorted(set(os.listdir(folder.parent)) - {folder.name})


def replace(folder: Path, files: dict[str, str], check=lambda: None) -> None:
    with replacing(str(folder), check) as new:
        write_files(Path(new), files)


@pytest.fixture(params=["one step", "two renames"])
def way(request, monkeypatch) -> str:
    """How folders are exchanged. Few file systems of today cannot do it in one step."""
    if request.param == "two renames":
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    elif sys.platform != "linux":
        pytest.skip("needs Linux")
    return request.param


def test_the_new_folder_takes_the_place_of_the_old_one(tmp_path, way):
    folder = write_files(tmp_path / "out", OLD)
    folder.chmod(0o750)
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert folder.stat().st_mode & 0o777 == 0o750
    assert beside(folder) == []


def test_a_folder_that_is_not_there_is_made_with_those_above(tmp_path, way):
    folder = tmp_path / "some/where/out"
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert beside(folder) == []


def test_others_can_read_it_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        replace(tmp_path / "out", NEW)
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def test_a_block_that_raises_leaves_the_folder_as_it_was(tmp_path, way):
    folder = write_files(tmp_path / "out", OLD)

    def fail() -> None:
        with replacing(str(folder), lambda: None) as new:
            write_files(Path(new), NEW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert contents(folder) == OLD
    assert beside(folder) == []


@pytest.mark.parametrize("call", [1, 2], ids=["at first", "before the folder goes"])
def test_a_check_that_raises_keeps_the_folder(tmp_path, way, call):
    folder = write_files(tmp_path / "out", OLD)
    calls = []

    def check() -> None:
        calls.append(os.listdir(tmp_path))
        if len(calls) == call:
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        replace(folder, NEW, check)
    assert contents(folder) == OLD
    assert len(calls) == call
    assert beside(folder) == []


def test_two_at_once_are_refused(tmp_path):
    folder = tmp_path / "out"
    with replacing(str(folder), lambda: None) as new:
        write_files(Path(new), NEW)
        with pytest.raises(InUseError):
            replace(folder, OLD)
    assert contents(folder) == NEW
    replace(folder, OLD)
    assert contents(folder) == OLD


def test_what_a_killed_process_left_goes_away(tmp_path, way):
    folder = write_files(tmp_path / "out", OLD)
    write_files(tmp_path, {".out.new/half": "x", ".out.old/a": "older", ".out.lock": ""})
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert beside(folder) == []


def test_a_link_that_lies_where_it_works_is_not_followed(tmp_path, way):
    precious = write_files(tmp_path / "precious", {"file": "kept"})
    folder = write_files(tmp_path / "out", OLD)
    for name in (".out.new", ".out.old"):
        (tmp_path / name).symlink_to(precious)
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert contents(precious) == {"file": "kept"}
    (tmp_path / ".out.lock").symlink_to(precious / "file")
    with pytest.raises(OSError, match="symbolic links"):
        replace(folder, OLD)
    assert contents(folder) == NEW


def test_a_process_killed_between_two_renames_leaves_a_folder_that_comes_back(tmp_path):
    folder = tmp_path / "out"
    write_files(tmp_path, {".out.old/a": "old", ".out.new/a": "new", ".out.lock": ""})
    with pytest.raises(KeyboardInterrupt), replacing(str(folder), lambda: None):
        raise KeyboardInterrupt
    assert contents(folder) == {"a": "old"}
    assert beside(folder) == []


def test_a_second_rename_that_fails_is_undone(tmp_path, monkeypatch):
    folder = write_files(tmp_path / "out", OLD)
    monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    rename = os.rename

    def fail_once(source: str, target: str) -> None:
        if source.endswith(".new"):
            raise OSError("a full disk")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_once)
    with pytest.raises(OSError, match="a full disk"):
        replace(folder, NEW)
    assert contents(folder) == OLD
    assert beside(folder) == []


@pytest.mark.parametrize(
    "kills", [5, pytest.param(100, marks=pytest.mark.soak)], ids=["", "full size"]
)
def test_a_process_killed_at_any_moment_leaves_a_whole_folder(tmp_path, way, kills):
    rng = Random(1)
    folder = tmp_path / "out"
    checkout = str(Path(flask_routehandlers.__file__).parents[1])
    leftovers = set()
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", FILLER, str(folder), way],
            env=os.environ | {"PYTHONPATH": checkout},
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(rng.random() / 50)
            process.kill()
        found = beside(folder)
        leftovers.update(found)
        if way == "two renames" and not folder.exists():
            assert ".out.old" in found
            (tmp_path / ".out.old").rename(folder)
        assert len(set(contents(folder).values())) == 1
        assert len(contents(folder)) == 6
    assert ".out.lock" in leftovers
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert beside(folder) == []
