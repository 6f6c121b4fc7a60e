"""What causes each message of the package, for ``docs/messages.md`` and for tests.

``python docs/record.py messages`` runs the examples and writes the page;
``tests/test_followed_hints.py`` follows the hints of those that are about a tree.
"""

from __future__ import annotations

from tests.catalogue import apps, commands, files, folders, requests
from tests.catalogue.model import Example, Section

SECTIONS: tuple[Section, ...] = (
    *folders.SECTIONS,
    *files.SECTIONS,
    *apps.SECTIONS,
    *requests.SECTIONS,
    *commands.SECTIONS,
)

__all__ = ["SECTIONS", "Example", "Section"]
