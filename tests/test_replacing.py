"""A folder is replaced as a whole, whatever happens in between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from flask_routehandlers.cli.export import replacing as module
from flask_routehandlers.cli.export.replacing import replacing
from tests.commands import child_environment
from tests.support import write_files

OLD = {"a": "old", "folder/b": "old"}
NEW = {"a": "new", "c/d": "new"}
ENDING = "flask-routehandlers-export"

#: Fill a folder without end, each time with one text in as many files.
FILLER = """
import sys
from pathlib import Path
from flask_routehandlers.cli.export import replacing as module

if sys.argv[2] == "two renames":
    module._exchange = lambda one, other: False
for n in range(100_000):
    with module.replacing(sys.argv[1]) as new:
        for name in "abcdef":
            Path(new, name).mkdir()
            Path(new, name, "file").write_text(str(n))
    if n == 0:
        print("ready", flush=True)
"""


def contents(folder: Path) -> dict[str, str]:
    found = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    return dict(sorted(found.items()))


def neighbours(folder: Path) -> list[str]:
    return sorted(set(os.listdir(folder.parent)) - {folder.name})


def replace(folder: Path, files: dict[str, str]) -> None:
    with replacing(str(folder)) as new:
        write_files(Path(new), files)


@pytest.fixture(params=["one step", "two renames"])
def way(request, monkeypatch) -> str:
    """How folders are exchanged. Few file systems of today cannot do it in one step."""
    if request.param == "two renames":
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    elif sys.platform != "linux":
        pytest.skip("needs Linux")
    return request.param


def test_the_new_folder_replaces_the_old_one(tmp_path, way):
    folder = write_files(tmp_path / "out", OLD)
    folder.chmod(0o750)
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert folder.stat().st_mode & 0o777 == 0o750
    assert neighbours(folder) == []


def test_a_missing_folder_is_made_with_its_parents(tmp_path, way):
    folder = tmp_path / "some/where/out"
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert neighbours(folder) == []


def test_permissions_are_those_of_the_umask(tmp_path):
    before = os.umask(0o022)
    try:
        replace(tmp_path / "out", NEW)
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def test_a_block_that_raises_changes_nothing(tmp_path, way):
    folder = write_files(tmp_path / "out", OLD)

    def fail() -> None:
        with replacing(str(folder)) as new:
            write_files(Path(new), NEW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert contents(folder) == OLD
    assert neighbours(folder) == []


def test_of_two_at_once_the_last_one_stays(tmp_path, way):
    folder = tmp_path / "out"
    with replacing(str(folder)) as new:
        write_files(Path(new), NEW)
        replace(folder, OLD)
        assert contents(folder) == OLD
    assert contents(folder) == NEW
    assert neighbours(folder) == []


def test_a_working_folder_is_removed_after_a_day(tmp_path, way):
    folder = write_files(tmp_path / "out", OLD)
    hour = 3600
    names = [f".out.a.{ENDING}", f".out.b.{ENDING}"]
    for age, name in zip((23 * hour, 25 * hour), names, strict=True):
        write_files(tmp_path, {f"{name}/new/half": "x"})
        then = time.time() - age
        os.utime(tmp_path / name, (then, then))
    replace(folder, NEW)
    assert contents(folder) == NEW
    assert neighbours(folder) == names[:1]


def test_folders_of_other_names_are_left_alone(tmp_path, way):
    names = [".out.new", ".out.old", f".out{ENDING}", f".{ENDING}", f"other.{ENDING}", "out.b"]
    others = {f"{name}/new/x": name for name in names}
    folder = write_files(tmp_path, others) / "out"
    for name in names:
        os.utime(tmp_path / name, (0, 0))
    replace(folder, NEW)
    replace(folder, OLD)
    assert contents(folder) == OLD
    assert {name: contents(tmp_path)[name] for name in others} == others


def test_a_name_with_brackets_is_no_pattern(tmp_path):
    folder = tmp_path / "[ou]t"
    for name in (f".ot.a.{ENDING}", f".[ou]t.a.{ENDING}"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    replace(folder, NEW)
    assert neighbours(folder) == [f".ot.a.{ENDING}"]


def test_a_kill_between_two_renames_loses_nothing(tmp_path):
    folder = tmp_path / "out"
    work = f".out.a.{ENDING}"
    write_files(tmp_path, {f"{work}/old/a": "old", f"{work}/new/a": "new"})
    with pytest.raises(KeyboardInterrupt), replacing(str(folder)):
        raise KeyboardInterrupt
    assert contents(folder) == {"a": "old"}


def test_a_second_rename_that_fails_is_undone(tmp_path, monkeypatch):
    folder = write_files(tmp_path / "out", OLD)
    monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    rename = Path.rename

    def fail_for_new(source: Path, target: Path) -> Path:
        if source.name == "new":
            raise OSError("a full disk")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(OSError, match="a full disk"):
        replace(folder, NEW)
    assert contents(folder) == OLD
    assert neighbours(folder) == []


@pytest.mark.parametrize(
    "kills",
    [pytest.param(5, marks=pytest.mark.ci), pytest.param(100, marks=pytest.mark.soak)],
    ids=["", "full size"],
)
def test_a_kill_at_any_moment_leaves_a_whole_folder(tmp_path, way, kills):
    rng = Random(1)
    folder = tmp_path / "out"
    leftovers = 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", FILLER, str(folder), way],
            env=child_environment(),
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(rng.random() / 50)
            process.kill()
        leftovers += len(neighbours(folder)) > 0
        if way == "two renames" and not folder.exists():
            module._clean_up(folder)
        assert len(set(contents(folder).values())) == 1
        assert len(contents(folder)) == 6
        for work in tmp_path.glob(f".out.*.{ENDING}"):
            os.utime(work, (0, 0))
        replace(folder, NEW)
        assert contents(folder) == NEW
    print(f"{leftovers} of {kills} left a working folder")
