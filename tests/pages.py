"""Reads the pages of the documentation: their blocks, commands and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("recipes/*.md"), REPOSITORY / "README.md"])

_BLOCK = re.compile(
    r"^```(?P<info>[^\n]*)\n(?P<code>.*?)^```$"
    r"|^(?P<heading>#+ [^\n]*)$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """A part of a page that a test acts on.

    :param place: the page and the line, for messages.
    :param kind: the language of a fenced block, or ``heading``.
    :param text: the content without the fence.
    """

    place: str
    kind: str
    text: str

    @property
    def file(self) -> str | None:
        """The path in the first line of a block that shows a file: ``# app/api/route.py``."""
        match = re.match(r"# (\S*\w\.\w+)$", self.text.partition("\n")[0])
        return match and match[1]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page from top to bottom."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        place = f"{page.relative_to(REPOSITORY)}:{line}"
        if match["heading"]:
            yield Block(place, "heading", match["heading"])
        else:
            yield Block(place, match["info"].strip(), match["code"].rstrip("\n"))


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output that is shown below it."""
    before, *parts = re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.M)
    assert parts, "the block has no command"
    assert not before, "the block begins with an output"
    for part in parts:
        command, _, output = part.partition("\n")
        yield command.strip(), output


def agrees(shown: str, real: str) -> bool:
    """Compare an output with what a page shows; a line ``...`` stands for any lines or none."""
    lines = [line.rstrip() for line in shown.rstrip().split("\n")]
    patterns = [
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"\n" for line in lines
    ]
    text = "\n".join(line.rstrip() for line in real.rstrip().split("\n")) + "\n"
    return re.fullmatch("".join(patterns), text) is not None


def table(page: str, *header: str) -> list[list[list[str]]]:
    """Return the code in each cell of each row of a table.

    :param header: the first cells of the table's header, by which it is found.
    """
    text = (DOCS / page).read_text(encoding="utf-8")
    _, line, rest = text.partition(f"| {' | '.join(header)} |")
    assert line, f"{page} has no table {header}"
    rows = rest.partition("\n\n")[0].split("\n")[2:]
    return [[re.findall("`([^`]*)`", cell) for cell in row.split("|")[1:-1]] for row in rows]


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor of each link of a page to another place in the docs."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in re.findall(r"\]\((?!https?:)([^)]*)\)", text):
        file, _, anchor = link.partition("#")
        yield page.parent / file if file else page, anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, or of the file that it includes."""
    text = page.read_text(encoding="utf-8")
    include = re.match(r"```\{include\} (\S+)", text)
    if include:
        return anchors(page.parent / include[1])
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
