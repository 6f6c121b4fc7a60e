"""A static GET: its handler runs apart from any request, and its response is stored.

:class:`StaticRoute` takes the place of the handler in the dispatcher of its file. So middleware
runs around it as usual, for hits too. A hit is one call of the store and one of ``responses``.
Everything else is in methods: a miss, a run of the handler, a revalidation.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from flask import Response, g
from werkzeug.exceptions import NotFound

from ..binding.model import Binding
from ..errors import skip_frames
from ..handlers.config import RouteConfig, check_tags
from ..handlers.dispatch import Dispatcher, current_request
from ..handlers.link import Link
from ..handlers.results import respond
from ..handlers.views import plain_view
from .cache import Cache
from .coordinator import Job
from .keys import LONGEST_PATH, canonical, file_prefix, make_key
from .model import StaticFile
from .params import StaticParams
from .policy import kept_headers, why_not_stored
from .responses import NAME
from .sandbox import Stream, match_request, read_body, seal_context
from .stores.base import Found
from .stores.entry import Entry, make_etag
from .workers import start_call


class StaticRoute:
    """The GET of a route file, answered from the cache.

    :param cache: the app's cache.
    :param static: the route file.
    :param config: its route config.
    :param dispatcher: calls its GET, and its ``cache_tags`` if that is a function.
    """

    def __init__(
        self,
        cache: Cache,
        static: StaticFile,
        config: RouteConfig,
        dispatcher: Dispatcher,
    ) -> None:
        app = cache.app
        self.cache = cache
        self.config = config
        self.file = static.file
        self.is_guarded = static.is_guarded
        #: The handler itself.
        self.handler = dispatcher.handlers["GET"]
        self._app = app
        self._static = static
        self._dispatcher = dispatcher
        self._tags: tuple[str, ...] = ()
        if isinstance(config.cache_tags, tuple):
            self._tags = config.cache_tags
        self.params = StaticParams(app, static, config.generate_static_params)
        version = cache.settings.version
        self._prefix = file_prefix(static.namespace, static.file, static.source, version)
        self._list_key = f"{self._prefix}*"  # a path begins with a slash
        #: The tag of everything that is stored for the file.
        self.file_tag = f"file:{static.namespace}:{static.file}"
        self._answer_path = self._make_answer()
        serve = functools.update_wrapper(partial(self._serve), self.handler.binding.function)
        #: The GET of the file: this object in the place of the handler.
        self.link = Link(static.file, "GET", Binding(serve, (), is_direct=True))

    def __repr__(self) -> str:
        return f"<StaticRoute {self._static.endpoint} from {self.file}>"

    # Serving.

    def make_view(self, dispatcher: Dispatcher) -> Callable[..., Any]:
        """Return the view of the file, which has no middleware.

        :param dispatcher: all handlers of the file.
        """
        answer, otherwise = self._answer_path, plain_view(dispatcher)
        methods = {"GET", "HEAD"}
        if "HEAD" in dispatcher.handlers:
            methods = {"GET"}

        def view(**values: Any) -> Any:
            current = current_request()
            path, environ = current.path, current.environ
            # A path that Werkzeug has changed may not be clean.
            if current.method in methods and environ.get("PATH_INFO") == path:
                return answer(path, environ)
            return otherwise(**values)

        return view

    def _serve(self, **_: Any) -> Any:
        """Answer GET and HEAD in place of the handler."""
        current = current_request()
        if current.method == "OPTIONS":
            # A handler that answers its preflight itself: that is not stored.
            return self._dispatcher.call(self.handler, current, current.view_args or {})
        return self._answer_path(current.path, current.environ)

    def _make_answer(self) -> Callable[[str, Any], Response]:
        """Return the function that answers for a decoded path, given the WSGI environment."""
        prefix, is_guarded, plan = self._prefix, self.is_guarded, self.handler.plan
        cache, reply = self.cache, self.cache.replies.reply

        def answer(path: str, environ: Any) -> Response:
            if path[-1] == "/":
                path = canonical(path)
            if plan is not None and plan.run.is_overridden:
                return self._answer_overridden(path, environ)
            key = prefix + path  # as make_key() does, without a call
            if len(path) > LONGEST_PATH:
                key = make_key(prefix, path)
            found = cache.get(key)
            is_private = is_guarded or "HTTP_COOKIE" in environ or "HTTP_AUTHORIZATION" in environ
            # Most requests get what the one before got, so that is as short as it can be.
            if (
                found is not None
                and (hit := found.hit) is not None
                and found.now() < hit.until
                and "HTTP_IF_NONE_MATCH" not in environ
                and "HTTP_IF_MODIFIED_SINCE" not in environ
                and "HTTP_IF_MATCH" not in environ
            ):
                if is_private:
                    return reply(hit.private, environ)
                return reply(hit.shared, environ)
            try:
                return self._answer(path, found, environ, is_private)
            except Exception as error:
                # Our frames come before those of the handler, if the error is the handler's.
                raised = error.__traceback__
                error.__traceback__ = skip_frames(raised, _is_ours) or raised
                raise

        return answer

    def _answer(self, path: str, found: Found | None, environ: Any, is_private: bool) -> Response:
        """Answer a request that differs from the one before, or whose entry is not fresh."""
        coordinator, replies = self.cache.coordinator, self.cache.replies
        if found is not None and (found.fresh_for > 0 or not coordinator.is_due(found.entry.key)):
            return replies.hit(found, environ, is_private)
        self.cache.check_once(environ)
        if found is None:
            self._refuse_unlisted(path)
        answer = coordinator.resolve(self.job(path), found)
        if isinstance(answer.result, Response):
            return answer.result
        assert isinstance(answer.result, Found)
        if answer.state in ("hit", "stale"):
            return replies.hit(answer.result, environ, is_private)
        status = f"fwd=miss; {answer.state}"
        if answer.state == "miss":
            status = "fwd=miss"
            is_private = True  # it was revalidated meanwhile, so it is for no other cache
        return replies.miss(answer.result.entry, environ, is_private, status)

    def _answer_overridden(self, path: str, environ: Any) -> Response:
        """Run the handler for a test that overrides a dependency; read and store nothing."""
        self._refuse_unlisted(path)
        result = self.render(path)
        if isinstance(result, Response):
            return result
        return self.cache.replies.miss(result, environ, is_private=True, cache_status="fwd=miss")

    # Computing.

    def key_of(self, path: str) -> str:
        """Return the key of the entry of a decoded path."""
        return make_key(self._prefix, canonical(path))

    def job(self, path: str) -> Job:
        """Return the way to compute the entry of a decoded path."""

        def compute(tags: tuple[str, ...]) -> Entry | Response:
            self._refuse_unlisted(path)
            return self._render(path, tags)

        name = f"GET in {self.file} for {path}"
        return Job(self.key_of(path), name, partial(self._tags_of, path), compute)

    def render(self, path: str) -> Entry | Response:
        """Run the handler for a decoded path, whatever is stored, and store nothing.

        :returns: an entry, or a response that may not be stored.
        :raises Exception: what the handler raises, or a stream that it returns.
        """
        return start_call(partial(self._render, path, ())).result()

    def _render(self, path: str, tags: tuple[str, ...]) -> Entry | Response:
        """Run the handler, in a thread of the cache.

        :returns: an entry, or a response for the one client that asked, whose stream goes on in
            this thread.
        """
        plan = self.handler.plan
        run = plan and plan.run
        with ExitStack() as stack:
            context = stack.enter_context(self._seal(path))
            response = self._call_handler(context)
            stack.callback(response.close)
            body = read_body(response, self.cache.settings.max_body)
            if not isinstance(body, bytes):
                stream = Stream(body, stack.pop_all())
                return self._not_stored(response, stream, "too-long")
        status, headers = response.status_code, list(response.headers)
        reason = why_not_stored(status, headers)
        if reason is None and len(body) > self.cache.settings.max_body:
            reason = "too-long"
        if run and plan and (run.is_overridden or plan.run.is_overridden):
            reason = "overridden"
        if reason is not None:
            return self._not_stored(response, body, reason)
        kept = kept_headers(headers)
        etag = response.headers.get("ETag") or make_etag(status, kept, body)
        return Entry(self.key_of(path), status, kept, body, etag, tags, self.config.lifetime)

    def _seal(self, path: str) -> Any:
        """Return a request context in which there is nothing of a client."""
        return seal_context(self._app, path, self.file, is_strict=self.config.is_strict)

    def _call(self, function: Link, context: Any) -> Any:
        """Call ``GET`` or ``cache_tags`` in a sealed context."""
        values = match_request(context, self._static.endpoint)
        try:
            return self._dispatcher.call(function, context.request, values)
        except AttributeError as error:
            if error.obj is g._get_current_object():
                error.add_note(_MISSING_IN_G.format(file=self.file, name=error.name))
            raise

    def _call_handler(self, context: Any) -> Response:
        """Return what the handler returns as a response, and apply ``after_this_request``."""
        response = respond(self._app, self._call(self.handler, context), self.handler)
        # Flask has no public name for the functions of after_this_request.
        for function in context._after_request_functions:
            response = self._app.ensure_sync(function)(response)
        return response

    def _not_stored(self, response: Response, body: bytes | Stream, reason: str) -> Response:
        """Return a response for one client; the handler's own does not leave its thread."""
        copy = self._app.response_class(body, response.status, response.headers)
        copy.headers["Cache-Status"] = f"{NAME}; fwd=miss; detail={reason}"
        return copy

    # Revalidating.

    def revalidate(self, path: str) -> None:
        """Forget what is stored for a decoded path, and for others with the same parameters.

        :raises ~flask_routehandlers.StoreError: when a shared store cannot be reached.
        """
        usual = self.params.usual(canonical(path))
        store = self.cache.store
        # Each is called even if another raises: this process forgets the path in any case.
        with ExitStack() as calls:
            calls.callback(store.revalidate_key, make_key(self._prefix, usual))
            if self._static.parameters:
                calls.callback(store.revalidate_tags, [self._alias_tag(usual)])
            if not self.config.dynamic_params:  # the path may be new, or gone
                calls.callback(store.revalidate_key, self._list_key)

    def _alias_tag(self, usual: str) -> str:
        """Return the tag of entries whose paths are other spellings of a path."""
        return f"path:{make_key(self._prefix, usual)}"

    def _tags_of(self, path: str) -> tuple[str, ...]:
        """Return the tags of the entry of a decoded path.

        :raises TypeError: when ``cache_tags`` returns anything but a list of tags.
        """
        tags = self._tags
        find_tags = self._dispatcher.handlers.get("cache_tags")
        if find_tags is not None:
            with self._seal(path) as context:
                returned = self._call(find_tags, context)
            try:
                tags = check_tags(returned)
            except TypeError as error:
                raise TypeError(
                    f"cache_tags in {self.file} returned {returned!r}, but {error}. "
                    "It must return a list of strings."
                ) from None
        path = canonical(path)
        usual = self.params.usual(path)
        if usual != path:
            tags = (self._alias_tag(usual), *tags)
        return (self.file_tag, *tags)

    # Paths that are known in advance.

    def list_job(self) -> Job:
        """Return the way to compute the list of these paths, as an entry."""

        def compute(tags: tuple[str, ...]) -> Entry:
            body = json.dumps(self.params.paths()).encode()
            return Entry(self._list_key, 200, (), body, '""', tags, self.config.lifetime)

        name = f"generate_static_params in {self.file}"
        return Job(self._list_key, name, lambda: (self.file_tag, *self._tags), compute)

    def _refuse_unlisted(self, path: str) -> None:
        """Refuse a path that the list of a closed route lacks.

        :raises ~werkzeug.exceptions.NotFound: for such a path.
        """
        if self.config.dynamic_params:
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


_MISSING_IN_G = (
    "The static GET of {file} runs with a new, empty g: what before_request functions and "
    "middleware set, g.{name} for example, belongs to one client and is not in it."
)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == __name__.partition(".")[0]
