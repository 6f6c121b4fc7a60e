"""Contracts in many threads at once: each request gets its own values."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contracts.support import declare, limited


def route_file(kind):
    return (
        limited(kind)
        + declare(kind, "Item", number="int", small="Small")
        + """
def POST(item: Body[Item], number: Query[int], x_number: Header[int], token: Bearer) -> list[Item]:
    value = item["number"] if isinstance(item, dict) else item.number
    assert number == x_number == value == int(token)
    return [item]
"""
    )


def ask(client, number):
    is_valid = number % 3
    response = client.post(
        f"/api/x?number={number}",
        json={"number": number, "small": 1 if is_valid else 101},
        headers={"X-Number": str(number), "Authorization": f"Bearer {number}"},
    )
    if is_valid:
        return response.json == [{"number": number, "small": 1}]
    return response.json["errors"][0]["pointer"] == "#/small"


def check(client, requests):
    app = client.application
    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(lambda number: ask(app.test_client(), number), range(requests)))


def test_64_threads_share_a_handler(client):
    check(client, 192)


@pytest.mark.soak
def test_64_threads_share_a_handler_for_long(client):
    check(client, 50_000)
