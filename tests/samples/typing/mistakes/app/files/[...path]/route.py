from collections.abc import Iterator


def GET(path: list[str]) -> Iterator[str]:
    yield path  # by mypy: misc; by pyright: reportReturnType
