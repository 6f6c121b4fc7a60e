"""Responses of plain results are those of Flask, to the byte."""

import dataclasses
import datetime
import decimal
import json
import uuid

import pytest
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from flask_routehandlers.handlers.responses import response_maker


@dataclasses.dataclass
class Point:
    x: int
    y: int


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC))
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.text(max_size=5).map(Markup)
    | st.builds(Point, st.integers(), st.integers())
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
RESULTS = (
    st.dictionaries(st.text(max_size=5), VALUES, max_size=4)
    | st.dictionaries(st.integers(), VALUES, max_size=3)
    | st.lists(VALUES, max_size=4)
    | st.text()
    | st.binary()
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "ensure_ascii": st.booleans(),
        "sort_keys": st.booleans(),
        "compact": st.none() | st.booleans(),
        "mimetype": st.sampled_from(["application/json", "text/json", "application/vnd.api+json"]),
        "default": st.just(str),
    },
)


def content(response):
    return response.status, response.headers.to_wsgi_list(), response.get_data()


def outcome(make, result):
    try:
        return content(make(result))
    except (TypeError, ValueError) as error:
        return type(error), str(error)


@given(RESULTS, st.lists(SETTINGS, max_size=2), st.booleans())
def test_responses_are_those_of_flask(result, settings, debug):
    app = Flask(__name__)
    app.debug = debug
    make = response_maker(app)
    with app.test_request_context():
        assert outcome(make, result) == outcome(app.make_response, result)
        for setting in settings:
            vars(app.json).update(setting)
            assert outcome(make, result) == outcome(app.make_response, result)


def test_a_value_that_json_lacks_is_flasks_error():
    app = Flask(__name__)
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        response_maker(app)({"a": object()})


def test_a_list_that_holds_itself_is_an_error():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="Circular reference detected"):
        response_maker(Flask(__name__))(endless)


def test_a_provider_of_the_app_writes_json():
    class Provider(DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            return f"<{json.dumps(obj)}>"

    app = Flask(__name__)
    app.json = Provider(app)
    assert response_maker(app)({"a": 1}).get_data(as_text=True) == '<{"a": 1}>\n'


def test_a_class_of_responses_is_kept():
    class Teapot(Response):
        default_status = 418

    app = Flask(__name__)
    app.response_class = Teapot
    make = response_maker(app)
    with app.test_request_context():
        assert [type(make(result)) for result in ({}, [], "", b"")] == [Teapot] * 4
        assert make("").status_code == 418


class Stamping(Flask):
    def make_response(self, rv):
        response = super().make_response(rv)
        response.headers["X-Stamp"] = "1"
        return response


def test_a_method_of_a_subclass_makes_responses():
    app = Stamping(__name__)
    with app.test_request_context():
        assert response_maker(app)({}).headers["X-Stamp"] == "1"


def test_a_function_set_on_the_app_makes_responses():
    app = Flask(__name__)
    app.make_response = lambda result: Response("made")
    assert response_maker(app)({}).get_data(as_text=True) == "made"


def test_routes_of_a_tree_share_an_encoder(make_app):
    app = make_app({}, "users", "users/[id]")
    makers = {view.dispatcher.make_plain for view in app.view_functions.values()}
    assert len(makers) == 1
    assert makers != {response_maker(app)}


def test_values_of_decimal_and_uuid_are_written():
    app = Flask(__name__)
    number = uuid.UUID(int=1)
    response = response_maker(app)([decimal.Decimal("1.50"), number])
    assert response.get_data(as_text=True) == f'["1.50","{number}"]\n'
