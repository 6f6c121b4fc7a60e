"""The events of a request, in the order of the contract's sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.dependencies.acting import FAILURES, STATUSES, Function, Tree, make_failure


def expect(tree: Tree, script: dict[str, str]) -> tuple[int, list[str]]:
    """Return the status of a request, and what runs."""
    events: list[str] = []
    done: set[str] = set()
    caught: list[Exception | None] = [None]

    def act(step: str, detail: object = "") -> None:
        events.append(f"{step} {detail}".strip())
        kind = script.get(step, "").removeprefix("return ")
        if kind in FAILURES:
            raise make_failure(kind, step)

    def begin(function: Function, folder: int, begun: list[Function]) -> None:
        for name in function.asks:
            own = f"{folder}.{name}" == function.name
            asked = tree.find(name, folder - own)
            if asked.name not in done:
                begin(asked, int(asked.name[0]), begun)
                done.add(asked.name)
                yields_failure = script.get(f"{asked.name} begin", "").startswith("return")
                if asked.is_generator and yields_failure:
                    begun.append(asked)
                act(f"{asked.name} begin")
                if asked.is_generator:
                    begun.append(asked)

    def end(name: str, failure: Exception | None) -> None:
        try:
            if failure:
                raise failure
            act(f"{name} commit")
        except Exception as error:
            act(f"{name} rollback", error.label)
            if f"{name} swallows" not in script:
                raise
        finally:
            act(f"{name} end")

    def link(function: Function, folder: int, answer: Callable[[], int]) -> int:
        begun: list[Function] = []
        known = status = None
        try:
            begin(function, folder, begun)
            status = answer()
        except Exception as error:
            known = error
        is_failure = known is not None and known.kind != "redirect"
        failure = known if is_failure else None
        if known is None:
            failure = caught[0]
        counts = failure
        for each in reversed(begun):
            try:
                end(each.name, counts)
            except Exception as error:
                counts = error
        if counts is not failure:
            raise counts
        if known:
            raise known
        return status

    def call_next(links: Sequence[tuple[Function, int]]) -> int:
        if not links:
            folder = len(tree.dependencies) - 1
            return link(tree.handler, folder, handle)
        function, folder = links[0]

        def answer() -> int:
            act(f"{function.name} before")
            answers = script.get(f"{function.name} answers")
            if answers == "early":
                return 203
            try:
                status = call_next(links[1:])
            except Exception as error:
                if error.kind == "plain":
                    raise
                status = STATUSES[error.kind]
                if error.kind != "redirect":
                    caught[0] = error
            act(f"{function.name} after", status)
            return 202 if answers == "late" else status

        return link(function, folder, answer)

    def handle() -> int:
        act("GET")
        return 409 if script.get("GET answers") == "conflict" else 200

    links = [(each, n) for n, folder in enumerate(tree.middleware) for each in folder]
    try:
        return call_next(links), events
    except Exception as error:
        return STATUSES[error.kind], events
