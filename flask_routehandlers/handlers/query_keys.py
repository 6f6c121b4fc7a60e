"""Keys of the query that several functions of a route read: no type forbids those of others.

A model that forbids unknown keys would refuse ``?page=2`` if a middleware of the route reads
``page`` and the handler's model does not have it. So such a model gets another reader for the
route, which leaves out the keys that its other functions read.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from ..dependencies.planning import Scopes
from .link import Link

if TYPE_CHECKING:
    from ..contracts.inputs import Inputs


def share_query(
    scopes: Scopes, links: list[Link], handlers: dict[str, Link]
) -> tuple[list[Link], dict[str, Link]]:
    """Let types that forbid or collect unknown keys know what others read from the query.

    :param scopes: the dependencies of the tree.
    :param links: the middleware of a route.
    :param handlers: its handlers, by method.
    :returns: the same middleware and handlers, for this route.
    """
    inputs = _inputs_of([*links, *handlers.values()])
    if not any(each.reads_whole_query for each in inputs):
        return links, handlers  # as for most routes
    keys = _keys_of(inputs)
    return [_share_link(scopes, link, keys) for link in links], {
        method: _share_link(scopes, handler, _keys_of(_inputs_of([*links, handler])))
        for method, handler in handlers.items()
    }


def _inputs_of(links: Iterable[Link]) -> list[Inputs]:
    """Return what some functions and their dependencies read from a request."""
    bindings = [link.binding for link in links]
    for link in links:
        bindings += [dependency.binding for dependency in link.dependencies]
    return [binding.inputs for binding in bindings if binding.inputs is not None]


def _keys_of(inputs: Iterable[Inputs]) -> frozenset[str]:
    """Return all keys of the query that some functions read."""
    return frozenset[str]().union(*(each.query_keys for each in inputs))


def _share_link(scopes: Scopes, link: Link, keys: Set[str]) -> Link:
    """Return a function that leaves keys of the query to others."""
    binding = link.binding
    if binding.inputs is not None:
        binding = binding._replace(inputs=binding.inputs.without(keys))
    plan = link.plan
    if plan is not None:
        plan = scopes.share_query(plan, binding, keys)
    return link._replace(binding=binding, plan=plan)
