"""A static GET: its handler runs in contexts of its own, and what it returned is served."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection
from contextlib import ExitStack
from types import CoroutineType
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.exceptions import NotFound

from ..binding.model import Binding
from ..dependencies.model import Plan
from ..errors import skip_frames
from ..handlers.config import RouteConfig, check_tags
from ..handlers.dispatch import Dispatcher
from ..handlers.results import respond
from ..running.modes import run_for
from .cache import Cache
from .coordinator import Job
from .params import StaticParams
from .policy import kept_headers, why_not_stored
from .responses import NAME
from .sandbox import Seal, Sealed, read_body
from .stores.base import Found
from .stores.entry import Entry, canonical, code_version, file_prefix, make_etag, make_key

_current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]


class StaticRoute:
    """A route file whose GET is static.

    :param app: the app that serves it.
    :param cache: the app's cache.
    :param mount_name: the name of its blueprint.
    :param endpoint: its endpoint, blueprint included.
    :param file: the route file, relative to the root.
    :param source: the bytes of the file.
    :param config: its route config.
    :param binding: how its GET is called.
    :param plan: how it gets its dependencies, if it asks for some.
    :param find_tags: how its ``cache_tags`` is called, if that is a function.
    :param parameters: the names of the path parameters.
    :param is_guarded: whether middleware decides who gets a response.
    """

    def __init__(
        self,
        app: Flask,
        cache: Cache,
        *,
        mount_name: str,
        endpoint: str,
        file: str,
        source: bytes,
        config: RouteConfig,
        binding: Binding,
        plan: Plan | None,
        find_tags: Binding | None,
        parameters: Collection[str],
        is_guarded: bool,
    ) -> None:
        self.app = app
        self.cache = cache
        self.endpoint = endpoint
        self.file = file
        self.config = config
        self._parameters = parameters
        self._params = StaticParams(app, endpoint, file, parameters, config.generate_static_params)
        self.is_guarded = is_guarded
        self._handler = binding
        self.plan = plan
        plans = {"GET": plan} if plan else {}
        self._dispatcher = Dispatcher(app, file, {"GET": binding}, plans)
        self._find_tags = find_tags
        tags = config.cache_tags
        self._own_tags = tags if isinstance(tags, tuple) else ()
        version = code_version(source, cache.settings.version)
        self._prefix = file_prefix(app.import_name, mount_name, file, version)
        self._list_key = f"{self._prefix}*"  # a path begins with a slash
        #: The tag of everything that is stored for the file.
        self.file_tag = f"file:{app.import_name}:{mount_name}:{file}"
        serve = functools.update_wrapper(self._make_server(), binding.function)
        #: How the file's GET is called, in place of its handler.
        self.binding = Binding(serve, (), frozenset(), (), True, False, False)

    def __repr__(self) -> str:
        return f"<StaticRoute {self.endpoint} from {self.file}>"

    # Serving.

    def _make_server(self) -> Callable[..., Any]:
        """The function that answers GET and HEAD in place of the handler."""
        prefix, is_guarded = self._prefix, self.is_guarded
        coordinator, hit = self.cache.coordinator, self.cache.replies.hit
        get, is_due = coordinator.get, coordinator.is_due

        def serve(**_: Any) -> Any:
            current = _current_request()
            environ = current.environ
            if current.method == "OPTIONS":
                # A handler that answers its preflight itself: that is not stored.
                arguments = self._handler.arguments(current, current.view_args or {})
                return self._handler.function(**arguments)
            path = current.path
            if path[-1] == "/":
                path = canonical(path)
            found = get(make_key(prefix, path))
            is_private = is_guarded or "HTTP_COOKIE" in environ or "HTTP_AUTHORIZATION" in environ
            if found is None or (found.fresh_for <= 0 and is_due(found.entry.key)):
                try:
                    return self._answer(current, path, found, is_private)
                except Exception as error:
                    # In front of the user's own code, if the error comes from there.
                    raised = error.__traceback__
                    error.__traceback__ = skip_frames(raised, _is_ours) or raised
                    raise
            return hit(found, environ, is_private)

        return serve

    def _answer(
        self, current: Request, path: str, found: Found | None, is_private: bool
    ) -> Response:
        self.cache.say_what_came_late()
        if found is None:
            self.refuse_unlisted(path)
        answer = self.cache.coordinator.resolve(self.job(path), found)
        result, state, is_stored, is_collapsed = answer
        if not isinstance(result, Found):
            assert isinstance(result, Response)
            return result
        if state != "miss":
            return self.cache.replies.hit(result, current.environ, is_private)
        status = "fwd=miss; stored" if is_stored else "fwd=miss"
        if is_collapsed:
            status = "fwd=miss; collapsed"
        # What was revalidated meanwhile is for no other cache.
        is_private = is_private or not (is_stored or is_collapsed)
        return self.cache.replies.miss(result.entry, current.environ, is_private, status)

    # Computing.

    def key_of(self, path: str) -> str:
        """The key of a decoded path, under which its entry is stored."""
        return make_key(self._prefix, canonical(path))

    def job(self, path: str) -> Job:
        """How the entry of a decoded path is computed and stored by a coordinator."""
        computation = _Computation(self, path)
        name = f"GET in {self.file} for {path}"
        return Job(self.key_of(path), name, computation.find_tags, computation.run)

    def render(self, path: str, tags: tuple[str, ...] = ()) -> Entry | Response:
        """Run the handler for a decoded path, whatever is stored, and store nothing.

        :returns: an entry, or a response that may not be stored.
        :raises Exception: what the handler raises, or a stream that it returned.
        """
        sealed = self._seal(path)
        sealed.push()
        try:
            response = sealed.run(self._call_handler, sealed)
            body = read_body(response, sealed, self.cache.settings.max_body)
        except BaseException as error:
            sealed.pop(error)
            raise
        if body is None:
            return _not_stored(response, "too-long")
        sealed.pop()
        status, headers = response.status_code, list(response.headers)
        reason = why_not_stored(status, headers)
        if reason is not None:
            return _not_stored(response, reason)
        response.close()
        kept = kept_headers(headers)
        etag = response.headers.get("ETag") or make_etag(status, kept, body)
        return Entry(self.key_of(path), status, kept, body, etag, tags, self.config.lifetime)

    def _seal(self, path: str) -> Sealed:
        return self.cache.sealer.open(path, Seal(self.file, self.config.is_strict))

    def _call_handler(self, sealed: Sealed) -> Response:
        values = sealed.match(self.endpoint)
        result = self._dispatcher.call("GET", sealed.request, values, None)
        response = respond(self.app, result, "GET", self.file)
        for after in sealed.after_request_functions:
            response = self.app.ensure_sync(after)(response)
        return response

    # Revalidating.

    def revalidate(self, path: str) -> None:
        """Forget what is stored for a decoded path, however else its parameters can be spelled.

        :raises ~flask_routehandlers.StoreError: when a shared store cannot be reached.
        """
        usual = self._params.usual(canonical(path))
        store = self.cache.store
        # All of it is called, also if a store that is down raises: this process forgets it then.
        with ExitStack() as calls:
            calls.callback(store.revalidate_key, make_key(self._prefix, usual))
            if self._parameters:
                calls.callback(store.revalidate_tags, [self._alias_tag(usual)])
            if self.is_closed:  # the path may be new, or gone
                calls.callback(store.revalidate_key, self._list_key)

    def _alias_tag(self, usual: str) -> str:
        return f"path:{make_key(self._prefix, usual)}"

    def tags_of(self, path: str) -> tuple[str, ...]:
        """The tags of the entry of a decoded path.

        :raises TypeError: when ``cache_tags`` returns something else.
        """
        tags = self._own_tags
        if self._find_tags is not None:
            sealed = self._seal(path)
            with sealed.pushed():
                returned = sealed.run(self._call_tags, sealed, self._find_tags)
            try:
                tags = check_tags(returned)
            except TypeError as error:
                raise TypeError(
                    f"cache_tags in {self.file} returned {returned!r}, and {error}. "
                    "It returns a list of strings."
                ) from None
        path = canonical(path)
        usual = self._params.usual(path)
        if usual != path:
            return (self.file_tag, self._alias_tag(usual), *tags)
        return (self.file_tag, *tags)

    def _call_tags(self, sealed: Sealed, binding: Binding) -> Any:
        values = sealed.match(self.endpoint)
        result = binding.function(**binding.arguments(sealed.request, values))
        return run_for(self.app, result) if isinstance(result, CoroutineType) else result

    # Paths that are known beforehand.

    def static_paths(self) -> list[str] | None:
        """The decoded paths that are known beforehand.

        :returns: ``None`` when there are parameters and no ``generate_static_params``.
        :raises TypeError, ValueError: when that lists something else.
        """
        return self._params.paths()

    @property
    def is_closed(self) -> bool:
        """Whether there is nothing but the paths that are known beforehand."""
        return not self.config.dynamic_params

    def list_job(self) -> Job:
        """How the list of these paths is computed and stored, if there are no others."""
        tags = (self.file_tag, *self._own_tags)

        def compute() -> Entry:
            body = json.dumps(self.static_paths()).encode()
            return Entry(self._list_key, 200, (), body, '""', tags, self.config.lifetime)

        name = f"generate_static_params in {self.file}"
        return Job(self._list_key, name, lambda: tags, compute)

    def refuse_unlisted(self, path: str) -> None:
        """:raises ~werkzeug.exceptions.NotFound: for a path that is none of a closed route's."""
        if not self.is_closed:
            return
        coordinator = self.cache.coordinator
        found = coordinator.get(self._list_key)
        if found is None or (found.fresh_for <= 0 and coordinator.is_due(self._list_key)):
            result = coordinator.resolve(self.list_job(), found).result
            assert isinstance(result, Found)
            found = result
        planned = found.entry.planned
        if "paths" not in planned:
            planned["paths"] = frozenset(json.loads(found.entry.body))
        if path not in planned["paths"]:
            raise NotFound


class _Computation:
    """One run of a handler for a coordinator, which asks for the tags first."""

    def __init__(self, route: StaticRoute, path: str) -> None:
        self._route = route
        self._path = path
        self._tags: tuple[str, ...] = ()

    def find_tags(self) -> tuple[str, ...]:
        self._tags = self._route.tags_of(self._path)
        return self._tags

    def run(self) -> Entry | Response:
        # Also for a path that was stored when it was still listed.
        self._route.refuse_unlisted(self._path)
        return self._route.render(self._path, self._tags)


def _not_stored(response: Response, reason: str) -> Response:
    response.headers["Cache-Status"] = f"{NAME}; fwd=miss; detail={reason}"
    return response


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == __name__.partition(".")[0]
