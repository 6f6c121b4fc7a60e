"""Concurrent requests in one view."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor


def test_each_of_64_threads_gets_its_own_answers(make_app):
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "QUERY")
    code = "import time\n" + "".join(
        f"{'async ' * (m == 'PATCH')}def {m}(id, request, params):\n"
        f"    time.sleep(0)\n"
        f"    return ['{m}', request.method, id, params['id'], request.headers['X-Number']]\n"
        for m in methods
    )
    code += "def HEAD(id):\n    return '', {'X-Id': id}\n"
    app = make_app({"[id]/route.py": code})
    barrier = threading.Barrier(64)

    def request_often(number: int) -> bool:
        rng, client = random.Random(number), app.test_client()
        barrier.wait(120)
        for n in range(10):
            name = f"{number}-{n}"
            method = rng.choice((*methods, "HEAD", "OPTIONS", "TRACE"))
            response = client.open(f"/api/{name}", method=method, headers={"X-Number": name})
            if method == "HEAD":
                assert response.headers["X-Id"] == name
            elif method in methods:
                assert response.json == [method, method, name, name, name]
            else:
                assert response.status_code == {"OPTIONS": 204, "TRACE": 405}[method]
        return True

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(request_often, range(64)))
