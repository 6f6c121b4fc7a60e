"""A route, and code that shows what its handlers are called with."""

from __future__ import annotations

#: The route of most tests here, its URL, and the values that the URL gives.
FOLDER = "users/[name]/posts/[number=int]"
URL = "/api/users/ann/posts/3"
VALUES = {"name": "ann", "number": 3}

#: The hint about an unknown argument of a handler at that route, and what may follow it.
AVAILABLE = (
    "It can ask for 'name', 'number', 'request' and 'params'. Any other parameter needs a default."
)
QUERY = (
    "For a value from the client, write {0}: Query[str]. "
    "For any other, define {0}() in a dependencies.py of this folder or above."
)

#: ``show(locals())`` returns the arguments of a handler, with a string for the request.
SHOW = """
def show(arguments):
    names = {"request": "REQUEST"}
    return {k: names.get(type(v).__name__.lower(), v) for k, v in arguments.items()}
"""

#: Decorators that pass on, add, rename, hide or await.
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
