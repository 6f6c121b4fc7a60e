"""Keys of the query that several functions of a route read: no type forbids those of others.

A model that forbids unknown keys would refuse ``?page=2`` if a middleware of the route reads
``page`` and the handler's model does not have it. So such a model gets another reader for the
route, which leaves out the keys that its other functions read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import chain

from ..binding.model import Binding
from ..dependencies.model import Plan
from ..dependencies.planning import Scopes
from .chain import Link

Plans = dict[str, Plan]
Bindings = dict[str, Binding]


def share_query(
    scopes: Scopes, links: list[Link], bindings: Bindings, plans: Plans
) -> tuple[list[Link], Bindings, Plans]:
    """Let types that forbid or collect unknown keys know what others read from the query.

    :param scopes: the dependencies of the tree.
    :param links: the middleware of a route.
    :param bindings: the plan of each handler's call, by method.
    :param plans: how handlers get their dependencies, by method.
    :returns: the same middleware and handlers, for this route.
    """
    if not links and not plans and all(each.inputs is None for each in bindings.values()):
        return links, bindings, plans  # as for most routes
    of_links = [binding for link in links for binding in _bindings_of(link.binding, link.plan)]
    of_methods = {
        method: list(_bindings_of(binding, plans.get(method)))
        for method, binding in bindings.items()
    }
    functions = [*of_links, *chain(*of_methods.values())]
    if not any(binding.inputs and binding.inputs.reads_whole_query for binding in functions):
        return links, bindings, plans
    links = [_share_link(scopes, link, _keys_of(functions)) for link in links]
    for method, functions in of_methods.items():
        keys = _keys_of([*of_links, *functions])
        bindings[method] = _share_binding(bindings[method], keys)
        if method in plans:
            plans[method] = scopes.share_query(plans[method], bindings[method], keys)
    return links, bindings, plans


def _bindings_of(binding: Binding, plan: Plan | None) -> Iterator[Binding]:
    """Return the plans of the calls of a function and of its dependencies."""
    yield binding
    if plan is not None:
        yield from (dependency.binding for dependency in plan.run.order)


def _keys_of(bindings: Iterable[Binding]) -> frozenset[str]:
    """Return all keys of the query that some functions read."""
    inputs = [binding.inputs for binding in bindings if binding.inputs is not None]
    return frozenset[str]().union(*(each.query_keys for each in inputs))


def _share_link(scopes: Scopes, link: Link, keys: Set[str]) -> Link:
    """Return a middleware function that leaves keys of the query to others."""
    binding, plan = _share_binding(link.binding, keys), None
    if link.plan is not None:
        plan = scopes.share_query(link.plan, binding, keys)
    return link._replace(binding=binding, plan=plan)


def _share_binding(binding: Binding, keys: Set[str]) -> Binding:
    """Return the plan of a call that leaves keys of the query to others."""
    if binding.inputs is None:
        return binding
    return binding._replace(inputs=binding.inputs.without(keys))
