"""The recordings on the pages show what the commands print."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.glob("recordings/*"))
TEXT = "{http://www.w3.org/2000/svg}text"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_record", DOCS / "record.py")
    assert spec
    assert spec.loader
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


record = script()


def text_of(picture: Path) -> str:
    """Return the lines that a recording shows, from its text elements and their places."""
    lines: dict[int, str] = {}
    for element in ElementTree.parse(picture).iter(TEXT):
        place = re.fullmatch(r"url\(#.*-line-(\d+)\)", element.get("clip-path", ""))
        if place:
            text = (element.text or "").replace("\N{NO-BREAK SPACE}", " ")
            width = float(element.attrib["textLength"]) / len(text)
            column = round(float(element.attrib["x"]) / width)
            lines[int(place[1])] = lines.get(int(place[1]), "").ljust(column) + text
    return "\n".join(lines.get(n, "").rstrip() for n in range(max(lines) + 1))


@pytest.mark.ci
@pytest.mark.parametrize("name", record.RECORDINGS)
def test_a_recording_is_up_to_date(name):
    now = record.without_escapes(record.transcript(record.RECORDINGS[name]))
    rows = [row.rstrip() for line in now.rstrip().split("\n") for row in rows_of(line)]
    shown = text_of(DOCS / f"recordings/{name}.svg")
    assert shown.split("\n") == rows, f"Run python docs/record.py {name}"


def rows_of(line: str) -> list[str]:
    """Return the rows that a line occupies at the terminal."""
    return [line[n : n + record.COLUMNS] for n in range(0, len(line) or 1, record.COLUMNS)]


def test_each_recording_has_a_description():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md")))
    described = re.findall(r"!\[((?:[^\]]|\](?!\())+)\]\((recordings/[^)]+)\)", pages)
    assert sorted(picture for _, picture in described) == PICTURES
    assert sorted(f"recordings/{name}.svg" for name in record.RECORDINGS) == PICTURES
    assert all(len(text.split()) > 5 for text, _ in described)


@pytest.mark.parametrize("picture", PICTURES)
def test_a_recording_loads_nothing_else(picture):
    text = (DOCS / picture).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?:|@import|@font-face|<script|href=", text) == []


def test_a_command_that_does_not_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "TIMEOUT", 0.5)
    with pytest.raises(TimeoutError, match=r"more than 0\.5 s: "):
        record.run_at_terminal("sleep 60", tmp_path)
