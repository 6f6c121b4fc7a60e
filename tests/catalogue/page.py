"""Makes ``docs/messages.md``: runs each example, and shows its files and messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.catalogue import SECTIONS, Example
from tests.catalogue.model import DEFAULT_GET
from tests.projects import DEFAULT_FILES, Project, new_project

HEAD = """\
# All messages

<!-- Written by `python docs/record.py messages`, from tests/catalogue. Do not edit. -->

Search this page for the words of a message. [Errors](errors.md) explains the most common ones.
Each message comes after the files that cause it; route files that are not shown have any handler.
A problem of a tree has three parts: the files or folders, a reason, and a hint. The files are
relative to the root here, and shown as you can open them at a terminal.
"""


def make_page() -> str:
    """Return the page, with messages as they are now."""
    parts = [HEAD]
    with new_project() as project:
        for section in SECTIONS:
            parts += [section.title, section.text] if section.text else [section.title]
            for example in section.examples:
                parts += blocks_of(example, project)
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def blocks_of(example: Example, project: Project) -> Iterator[str]:
    """Yield the note, the files and the messages of an example as Markdown."""
    if example.note:
        yield example.note
    for name, content in example.files.items():
        if content not in ("", DEFAULT_GET, DEFAULT_FILES.get(name)):
            yield fenced("python", f"# {name}\n{content}")
    preparations = "\n".join(f"$ {command}" for command in example.prepare)
    if preparations:
        yield fenced("console", preparations)
    yield fenced(*messages_of(example, project))


def fenced(kind: str, text: str) -> str:
    return f"```{kind}\n{text.rstrip()}\n```"


def messages_of(example: Example, project: Project) -> tuple[str, str]:
    """Run an example; return the kind of its block, and what it shows."""
    project.start_over()
    for name, content in example.files.items():
        is_route = name.endswith("/route.py")
        project.add(name, example.imports + content if is_route else content)
    for command in example.prepare:
        project.run(command, "")
    if example.commands:
        outputs = (without_frames(project.run(command, "...")) for command in example.commands)
        lines = zip(example.commands, outputs, strict=True)
        return "console", "\n".join(f"$ {command}\n{text}".rstrip() for command, text in lines)
    if example.asks:
        lines = zip(example.asks, project.ask(example.asks), strict=True)
        return "pycon", "\n".join(f">>> {statement}\n{answer}" for statement, answer in lines)
    problems = project.problems(example.named, example.given)
    assert problems, f"{example} has no problem"
    return "text", problems


def without_frames(text: str) -> str:
    """Return an output without log records and frames of a traceback, which vary."""
    text = re.sub(r"^\[\d{4}-.*\n", "", text, flags=re.M)
    _, traceback, after = text.rpartition("Traceback (most recent call last):\n")
    if not traceback:
        return text
    _, *last = re.split(r"^(?! )", after, maxsplit=1, flags=re.M)
    return f"{traceback}  ...\n{''.join(last)}"
