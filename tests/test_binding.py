"""How handlers are called: with what they name, planned and checked when the app starts."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, refused, write_files

#: The route of most tests here, its URL, and the values that the URL gives.
ROUTE = "users/[name]/posts/[number=int]/route.py"
URL = "/api/users/ann/posts/3"
VALUES = {"name": "ann", "number": 3}

#: What is said of every argument that there is not, at that route.
QUERY = " For a value from the client, write {}: Query[str]."
AVAILABLE = (
    "It can ask for 'name', 'number', 'request' and 'params'. Any other parameter needs a default."
)

#: Show what a handler was called with, as JSON.
SHOW = """
def show(arguments):
    names = {"request": "REQUEST"}
    return {k: names.get(type(v).__name__.lower(), v) for k, v in arguments.items()}
"""


@pytest.fixture
def called_with(make_app):
    """What the handler of a file at ``ROUTE`` is called with; it returns ``show(locals())``."""

    def call(code):
        response = make_app({ROUTE: SHOW + code}).test_client().get(URL)
        assert response.status_code == 200
        return response.json

    return call


@pytest.fixture
def refusal(tree):
    """Why the handlers of one route file are refused, as sentences."""

    def refuse(code, folder="users/[name]/posts/[number=int]"):
        file = f"{folder}/route.py"
        problems = refused(bare_app(tree({file: code})))
        assert all(problem.files == (file,) for problem in problems)
        return [f"{problem.reason} {problem.hint}" for problem in problems]

    return refuse


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("", {}),
        ("name", {"name": "ann"}),
        ("number", {"number": 3}),
        ("name, number", VALUES),
        ("number, name", VALUES),
        ("*, name", {"name": "ann"}),
        ("name, *, number", VALUES),
        ("request", {"request": "REQUEST"}),
        ("params", {"params": VALUES}),
        ("params, number, request, name", {**VALUES, "params": VALUES, "request": "REQUEST"}),
        ("*, request, params", {"params": VALUES, "request": "REQUEST"}),
        ("request=None, params=None", {"params": VALUES, "request": "REQUEST"}),
        ("name='nobody'", {"name": "ann"}),
        ("name, limit=10", {"name": "ann", "limit": 10}),
        ("limit=10, *, number=0, page=1", {"limit": 10, "number": 3, "page": 1}),
        ("limit=10, /", {"limit": 10}),
        ("name='nobody', /", {"name": "nobody"}),
        ("limit=10, /, **rest", {"limit": 10, "rest": VALUES}),
        ("**rest", {"rest": VALUES}),
        ("name, **rest", {"name": "ann", "rest": {"number": 3}}),
        ("request, **rest", {"request": "REQUEST", "rest": VALUES}),
        ("params, number, **rest", {"params": VALUES, "number": 3, "rest": {"name": "ann"}}),
        ("*args", {"args": []}),
        ("name, *args", {"name": "ann", "args": []}),
        ("*args, number, **rest", {"args": [], "number": 3, "rest": {"name": "ann"}}),
    ],
)
def test_a_handler_is_called_with_what_it_names(called_with, signature, arguments):
    assert called_with(f"def GET({signature}): return show(locals())") == arguments


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (
            "size",
            f"GET asks for 'size', which is not in the path. {AVAILABLE}{QUERY.format('size')}",
        ),
        ("nam", f"GET asks for 'nam', which is not in the path. Did you mean 'name'? {AVAILABLE}"),
        (
            "*, numbr",
            f"GET asks for 'numbr', which is not in the path. Did you mean 'number'? {AVAILABLE}",
        ),
        (
            "name, req, **rest",
            f"GET asks for 'req', which is not in the path. Did you mean 'request'? {AVAILABLE}",
        ),
        (
            "call_next",
            f"GET asks for 'call_next', which is not in the path. {AVAILABLE}{QUERY.format('call_next')}",
        ),
        (
            "name, /",
            "GET has the positional-only parameter 'name', but arguments are passed by name. "
            "Remove the / from its signature.",
        ),
        (
            "request, /, name",
            "GET has the positional-only parameter 'request', but arguments are passed by name. "
            "Remove the / from its signature.",
        ),
    ],
)
def test_a_handler_that_asks_for_what_there_is_not_is_refused(refusal, signature, reason):
    assert refusal(f"def GET({signature}): return ''") == [reason]


def test_a_path_without_parameters_still_gives_request_and_params(make_app, refusal):
    code = SHOW + "def GET(request, params, **rest): return show(locals())"
    client = make_app({"route.py": code}).test_client()
    assert client.get("/api").json == {"request": "REQUEST", "params": {}, "rest": {}}
    assert refusal("def GET(id): return ''", folder="users") == [
        "GET asks for 'id', which is not in the path. "
        "It can ask for 'request' and 'params'. Any other parameter needs a default."
        f"{QUERY.format('id')}"
    ]


def test_every_handler_of_a_file_is_checked(refusal):
    code = "def GET(nam): return ''\ndef POST(name): return ''\ndef PUT(numbers): return ''"
    assert refusal(code) == [
        f"GET asks for 'nam', which is not in the path. Did you mean 'name'? {AVAILABLE}",
        f"PUT asks for 'numbers', which is not in the path. Did you mean 'number'? {AVAILABLE}",
    ]


def test_parameters_of_the_prefix_and_of_groups_are_given_too(make_app):
    code = SHOW + "def GET(lang, id): return show(locals())"
    app = make_app({"(shop)/[id=int]/route.py": code}, url_prefix="/<lang>/api")
    assert app.test_client().get("/de/api/3").json == {"lang": "de", "id": 3}


DECORATORS = """
import functools

def plain(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)
    return wrapper

def with_user(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, user="bob", **kwargs)
    return wrapper

def with_request(f):
    @functools.wraps(f)
    def wrapper(request, **kwargs):
        return f(method=request.method, **kwargs)
    return wrapper

def only_number(f):
    @functools.wraps(f)
    def wrapper(number):
        return f(number=number, name="somebody")
    return wrapper

def with_extra(f):
    @functools.wraps(f)
    def wrapper(name, **kwargs):
        return f(name=name.upper(), seen=dict(kwargs))
    return wrapper

def unnamed(f):
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)
    return wrapper

def awaiting(f):
    @functools.wraps(f)
    async def wrapper(*args, **kwargs):
        return await f(*args, **kwargs)
    return wrapper

class Counted:
    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f = f
    def __call__(self, *args, **kwargs):
        return self.f(*args, **kwargs)
"""


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("@plain\ndef GET(name): return show(locals())", {"name": "ann"}),
        ("@plain\ndef GET(): return show(locals())", {}),
        ("@plain\ndef GET(request): return show(locals())", {"request": "REQUEST"}),
        ("@plain\ndef GET(**rest): return show(locals())", {"rest": VALUES}),
        ("@plain\n@plain\n@plain\ndef GET(number): return show(locals())", {"number": 3}),
        (
            "@with_user\ndef GET(user, name): return show(locals())",
            {"user": "bob", "name": "ann"},
        ),
        (
            "@with_request\n@with_user\n@plain\n"
            "def GET(user, method, number): return show(locals())",
            {"user": "bob", "method": "GET", "number": 3},
        ),
        (
            "@only_number\ndef GET(name, number): return show(locals())",
            {"name": "somebody", "number": 3},
        ),
        (
            "@with_extra\ndef GET(name, seen, number=None): return show(locals())",
            {"name": "ANN", "seen": {"number": 3}, "number": None},
        ),
        ("@unnamed\ndef GET(name, number): return show(locals())", VALUES),
        ("@Counted\ndef GET(number): return show(locals())", {"number": 3}),
        (
            "@Counted\n@with_user\ndef GET(user, request): return show(locals())",
            {"user": "bob", "request": "REQUEST"},
        ),
        ("@plain\nasync def GET(name): return show(locals())", {"name": "ann"}),
        ("@awaiting\nasync def GET(number): return show(locals())", {"number": 3}),
        ("@awaiting\n@plain\nasync def GET(**rest): return show(locals())", {"rest": VALUES}),
        # A decorator may convert, so it is not held against the annotation.
        ("@plain\ndef GET(name: int): return show(locals())", {"name": "ann"}),
    ],
)
def test_a_decorated_handler_gets_what_the_innermost_function_names(called_with, code, arguments):
    assert called_with(DECORATORS + code) == arguments


def test_a_decorator_that_asks_for_what_there_is_not_is_refused(refusal):
    code = """
import functools

def with_size(f):
    @functools.wraps(f)
    def wrapper(size, **kwargs):
        return f(**kwargs)
    return wrapper

@with_size
def GET(name): return ''
"""
    assert refusal(code) == [
        f"GET asks for 'size', which is not in the path. {AVAILABLE}{QUERY.format('size')}"
    ]


def test_a_wrapper_that_wraps_itself_is_read_once(called_with):
    code = "def GET(name): return show(locals())\nGET.__wrapped__ = GET"
    assert called_with(code) == {"name": "ann"}


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (
            "class Handler:\n    def __call__(self, name): return show(locals() | {'self': 0})\n"
            "GET = Handler()",
            {"self": 0, "name": "ann"},
        ),
        (
            "class Handler:\n    def get(self, request): return show(locals() | {'self': 0})\n"
            "GET = Handler().get",
            {"self": 0, "request": "REQUEST"},
        ),
        (
            "import functools\ndef base(prefix, name): return show(locals())\n"
            "GET = functools.partial(base, 'x')",
            {"prefix": "x", "name": "ann"},
        ),
        (
            "import functools\ndef base(name, number, size): return show(locals())\n"
            "GET = functools.partial(base, size=5)",
            {**VALUES, "size": 5},
        ),
        ("GET = lambda number: {'number': number}", {"number": 3}),
        ("import math\nGET = lambda name, root=math.sqrt: {'name': name}", {"name": "ann"}),
    ],
    ids=["instance", "bound method", "partial", "partial by name", "lambda", "default"],
)
def test_any_callable_can_be_a_handler(called_with, code, arguments):
    assert called_with(code) == arguments


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("GET = '{name} wrote {number}'.format", "ann wrote 3"),
        ("class Texts(dict): pass\nGET = Texts({'name': 'x'}).__repr__", "{'name': 'x'}"),
    ],
)
def test_a_function_of_c_without_a_signature_gets_the_path_parameters(make_app, code, answer):
    client = make_app({ROUTE: code}).test_client()
    assert client.get(URL).text == answer


def test_a_function_of_c_without_a_signature_gets_every_path_parameter(make_app):
    # Whether dict.update tells its signature differs between versions of Python.
    code = "store = {}\nGET = store.update\ndef POST(): return store"
    app = make_app({ROUTE: code})
    assert app.test_client().get(URL).status_code == 500  # it returns None
    assert app.test_client().post(URL).json == VALUES


# The annotations under each kind of folder: accepted, or what is said.

PREAMBLE = """
{future}
from decimal import Decimal
from enum import StrEnum
from typing import *
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from uuid import UUID

T = TypeVar("T")
Slug = NewType("Slug", str)
UserId = NewType("UserId", int)
Noted = NewType("Noted", Annotated[int, "a note"])

class Color(StrEnum):
    red = "red"

class Text(str):
    pass

class Sized(Protocol):
    size: int

class HasUpper(Protocol):
    def upper(self) -> str: ...

@runtime_checkable
class HasLower(Protocol):
    def lower(self) -> str: ...

@runtime_checkable
class HasMove(Protocol):
    def move(self) -> str: ...

def GET(x: {annotation}): return type(x).__name__
"""


def _annotated(annotation: str, future: str = "") -> str:
    return PREAMBLE.format(annotation=annotation, future=future)


FITTING = {
    "[x]": "str Any object Slug T Sized HasUpper HasLower Iterable[str] Sequence[str] "
    "Annotated[str,1] Optional[str] Union[int,str] str|None int|str Literal['a','b'] 'str' "
    "'str|None' Optional['str'] Collection Iterable Hashable 'Annotated[str,1]'",
    "[x=string]": "str Any",
    "[x].json": "str Any",
    "[x=int]": "int float complex Any object UserId Noted int|None Annotated[int,1] T "
    "Literal[1,2] 'int' SupportsInt",
    "[x=float]": "float complex Any object float|str Optional[float] Annotated[float,'x'] "
    "SupportsFloat",
    "[x=uuid]": "UUID Any object UUID|None Annotated[UUID,1] Hashable",
    "[...x]": "list list[str] List List[str] Sequence[str] Iterable[str] Collection[str] "
    "Sequence Iterable list[Any] Sequence[object] list[Slug] Any object list[str|int] T list[T] "
    "Sized Annotated[list[str],1] Optional[list[str]] list[str]|None 'list[str]' "
    "Sequence[Optional[str]] Reversible[str] HasUpper",
    "[[...x]]": "list[str] Sequence[str] Optional[list[str]]",
    # Another converter does not tell what it gives.
    "[x=day]": "int str list[str] Decimal Color",
}

CONTRADICTING = {
    (
        "[x]",
        "int",
    ): "x as int, but the folder [x] passes a str. Rename the folder to [x=int], or write x: str.",
    ("[x]", "float"): "x as float, but the folder [x] passes a str. "
    "Rename the folder to [x=float], or write x: str.",
    (
        "[x]",
        "UUID",
    ): "x as UUID, but the folder [x] passes a str. Rename the folder to [x=uuid], or write x: str.",
    (
        "[x]",
        "'int'",
    ): "x as int, but the folder [x] passes a str. Rename the folder to [x=int], or write x: str.",
    ("[x]", "Annotated[int, 1]"): "x as int, but the folder [x] passes a str. "
    "Rename the folder to [x=int], or write x: str.",
    ("[x]", "bool"): "x as bool, but the folder [x] passes a str. Write x: str.",
    ("[x]", "bytes"): "x as bytes, but the folder [x] passes a str. Write x: str.",
    ("[x]", "None"): "x as NoneType, but the folder [x] passes a str. Write x: str.",
    ("[x]", "Decimal"): "x as Decimal, but the folder [x] passes a str. Write x: str.",
    ("[x]", "Color"): "x as Color, but the folder [x] passes a str. Write x: str.",
    ("[x]", "Text"): "x as Text, but the folder [x] passes a str. Write x: str.",
    ("[x]", "HasMove"): "x as HasMove, but the folder [x] passes a str. Write x: str.",
    ("[x]", "list[str]"): "x as list[str], but the folder [x] passes a str. Write x: str.",
    (
        "[x]",
        "Mapping[str, str]",
    ): "x as collections.abc.Mapping[str, str], but the folder [x] passes a str. Write x: str.",
    (
        "[x]",
        "Optional[int]",
    ): "x as typing.Optional[int], but the folder [x] passes a str. Write x: str.",
    ("[x]", "int | float"): "x as int | float, but the folder [x] passes a str. Write x: str.",
    (
        "[x]",
        "Literal[1, 2]",
    ): "x as typing.Literal[1, 2], but the folder [x] passes a str. Write x: str.",
    ("[x].json", "int"): "x as int, but the folder [x].json passes a str. "
    "Rename the folder to [x=int].json, or write x: str.",
    ("@[x]", "UUID"): "x as UUID, but the folder @[x] passes a str. "
    "Rename the folder to @[x=uuid], or write x: str.",
    ("[x=string]", "int"): "x as int, but the folder [x=string] passes a str. Write x: str.",
    ("[x=int]", "str"): "x as str, but the folder [x=int] passes an int. Write x: int.",
    ("[x=int]", "bool"): "x as bool, but the folder [x=int] passes an int. Write x: int.",
    ("[x=int]", "Slug"): "x as {module}.Slug, but the folder [x=int] passes an int. Write x: int.",
    (
        "[x=int]",
        "Literal['a']",
    ): "x as typing.Literal['a'], but the folder [x=int] passes an int. Write x: int.",
    ("[x=float]", "int"): "x as int, but the folder [x=float] passes a float. Write x: float.",
    ("[x=uuid]", "str"): "x as str, but the folder [x=uuid] passes a UUID. Write x: UUID.",
    ("[x=uuid]", "int"): "x as int, but the folder [x=uuid] passes a UUID. Write x: UUID.",
    ("[...x]", "str"): "x as str, but the folder [...x] passes a list[str]. Write x: list[str].",
    ("[...x]", "int"): "x as int, but the folder [...x] passes a list[str]. Write x: list[str].",
    (
        "[...x]",
        "list[int]",
    ): "x as list[int], but the folder [...x] passes a list[str]. Write x: list[str].",
    ("[...x]", "List[int]"): "x as typing.List[int], but the folder [...x] passes a list[str]. "
    "Write x: list[str].",
    (
        "[...x]",
        "Sequence[int]",
    ): "x as collections.abc.Sequence[int], but the folder [...x] passes a list[str]. "
    "Write x: list[str].",
    (
        "[...x]",
        "tuple[str, ...]",
    ): "x as tuple[str, ...], but the folder [...x] passes a list[str]. Write x: list[str].",
    (
        "[...x]",
        "set[str]",
    ): "x as set[str], but the folder [...x] passes a list[str]. Write x: list[str].",
    (
        "[...x]",
        "Iterator[str]",
    ): "x as collections.abc.Iterator[str], but the folder [...x] passes a list[str]. "
    "Write x: list[str].",
    (
        "[...x]",
        "Hashable",
    ): "x as typing.Hashable, but the folder [...x] passes a list[str]. Write x: list[str].",
    (
        "[...x]",
        "Literal['a']",
    ): "x as typing.Literal['a'], but the folder [...x] passes a list[str]. Write x: list[str].",
    (
        "[[...x]]",
        "str",
    ): "x as str, but the folder [[...x]] passes a list[str]. Write x: list[str].",
}


@pytest.mark.parametrize(
    ("folder", "annotation"),
    [(folder, one) for folder, many in FITTING.items() for one in many.split()],
)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations"])
def test_an_annotation_that_fits_is_accepted(tree, folder, annotation, future):
    app = bare_app(tree({f"{folder}/route.py": _annotated(annotation, future)}))
    app.url_map.converters["day"] = type("DayConverter", (BaseConverter,), {})
    RouteHandlers(app)
    assert len(app.extensions["routehandlers"]["api"].routes) == 1


@pytest.mark.parametrize(("folder", "annotation"), CONTRADICTING)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations"])
def test_an_annotation_that_contradicts_the_folder_is_refused(refusal, folder, annotation, future):
    [reason] = refusal(_annotated(annotation, future), folder)
    expected = f"GET annotates {CONTRADICTING[folder, annotation]}"
    module = reason.partition("GET annotates x as ")[2].partition(".Slug")[0]
    assert reason == expected.format(module=module)


NEWER = """
type Slug = str
type Path = list[str]
type Id = int
type Noted = Annotated[str, "a note"]
type Deep = Slug
type Pair[T] = tuple[T, T]
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type statements are new in Python 3.12")
@pytest.mark.parametrize(
    ("folder", "annotation", "said"),
    [
        ("[x]", "Slug", None),
        ("[x]", "Noted", None),
        ("[x]", "Deep", None),
        ("[x]", "Slug | None", None),
        ("[...x]", "Path", None),
        ("[x=int]", "Id", None),
        ("[x]", "Id", "x as Id, but the folder [x] passes a str. Write x: str."),
        ("[x]", "Path", "x as Path, but the folder [x] passes a str. Write x: str."),
        (
            "[...x]",
            "Slug",
            "x as Slug, but the folder [...x] passes a list[str]. Write x: list[str].",
        ),
        ("[x=int]", "Deep", "x as Deep, but the folder [x=int] passes an int. Write x: int."),
    ],
)
def test_a_type_statement_stands_for_its_value(make_app, refusal, folder, annotation, said):
    code = f"from typing import Annotated\n{NEWER}\ndef GET(x: {annotation}): return ''"
    if said is None:
        make_app({f"{folder}/route.py": code})
    else:
        assert refusal(code, folder) == [f"GET annotates {said}"]


@pytest.mark.parametrize(
    "code",
    [
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from elsewhere import Slug\n"
        "def GET(x: Slug): return x",
        "def GET(x: 'Missing'): return x",
        "from __future__ import annotations\ndef GET(x: 1 / 0): return x",
    ],
    ids=["TYPE_CHECKING", "unknown name", "raises"],
)
def test_an_annotation_that_only_a_type_checker_reads_is_let_be(make_app, code):
    client = make_app({"[x]/route.py": code}).test_client()
    assert client.get("/api/ann").text == "ann"


def test_only_path_parameters_are_held_against_annotations(make_app):
    code = "def GET(x, request: int, params: int, extra: bytes = None) -> bytes: return x"
    assert make_app({"[x]/route.py": code}).test_client().get("/api/ann").text == "ann"


def test_a_bound_method_and_an_instance_are_held_against_annotations(refusal):
    said = (
        "x as int, but the folder [x] passes a str. Rename the folder to [x=int], or write x: str."
    )
    code = """
class Handlers:
    def get(self, x: int): return ''
    def __call__(self, x: int): return ''

GET = Handlers().get
POST = Handlers()
"""
    assert refusal(code, "[x]") == [f"GET annotates {said}", f"POST annotates {said}"]


def test_every_contradiction_of_a_prefix_names_the_prefix(tree):
    app = bare_app(tree({"route.py": "def GET(year: str): return ''"}))
    [problem] = refused(app, url_prefix="/<int:year>")
    assert problem.files == ("route.py",)
    assert (
        problem.reason
        == "GET annotates year as str, but the url_prefix /<int:year> passes an int."
    )
    assert problem.hint == "Write year: int."


# Any signature.

NAMES = ("alpha", "beta", "gamma")
GIVEN = {"alpha": "a", "beta": 2, "gamma": ["c", "d"], "request": "REQUEST"}
GIVEN["params"] = {name: GIVEN[name] for name in NAMES}
OTHERS = ("limit", "page")


@st.composite
def signatures(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A signature, and what a handler with it is called with."""
    names = draw(st.permutations([*GIVEN, *OTHERS]))
    names = names[: draw(st.integers(0, len(names)))]
    optional = {name for name in names if name in OTHERS or draw(st.booleans())}
    star = draw(st.integers(0, len(names)))
    # A parameter without a default cannot follow one with a default, but behind the star.
    head = sorted(names[:star], key=optional.__contains__)
    parts = [f"{name}='default'" if name in optional else name for name in head]
    expected = {name: GIVEN.get(name, "default") for name in names}
    if names[star:]:
        parts.append("*")
        parts += [f"{n}='default'" if n in optional else n for n in names[star:]]
    if draw(st.booleans()):
        parts.append("**rest")
        expected["rest"] = {name: GIVEN[name] for name in NAMES if name not in names}
    return ", ".join(parts), expected


@given(drawn=signatures(), wrapped=st.booleans())
@settings(max_examples=150, derandomize=True, database=None, deadline=None)
def test_any_handler_gets_exactly_the_values_that_it_names(tmp_path_factory, drawn, wrapped):
    signature, expected = drawn
    code = f"{SHOW}{DECORATORS}{'@plain' if wrapped else ''}\n"
    code += f"def GET({signature}): return show(locals())"
    folder = tmp_path_factory.mktemp("signature")
    app = bare_app(write_files(folder, {"[alpha]/[beta=int]/[...gamma]/route.py": code}))
    RouteHandlers(app, ".", name="any")
    assert app.test_client().get("/a/2/c/d").json == expected
