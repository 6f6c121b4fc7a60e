from collections.abc import Iterator


def GET(path: list[str]) -> Iterator[str]:
    for part in path:
        yield f"{part}\n"
