"""Rate limits over HTTP: the status, the headers, and that they are applied before any other check.

Which limits a plan and a tier have is proven by `tests/domain/test_admit_request.py`.
"""

import time
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from .client import RATE_HEADERS, UNKNOWN_DOCUMENT_ID, Client, error_of
from .documents import NO_UUID, document_path
from .keys import PERMISSIONS
from .operations import CREATE, OPERATIONS
from .tenants import Tenants

UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)


def reset_of(answer: httpx.Response) -> int:
    return int(answer.headers["X-RateLimit-Reset"])


def numbers(answer: httpx.Response) -> tuple[int, int]:
    return int(answer.headers["X-RateLimit-Limit"]), int(answer.headers["X-RateLimit-Remaining"])


def in_one_minute(client: Client, count: int) -> list[httpx.Response]:
    """Return the first `count` responses of one minute, or of the next one if it begins meanwhile."""
    answers: list[httpx.Response] = []
    for _ in range(3 * count):
        answer = client.get(UNKNOWN_DOCUMENT)
        if answers and reset_of(answer) != reset_of(answers[0]):
            answers = []
        answers.append(answer)
        if len(answers) == count:
            return answers
    raise AssertionError(f"{count} calls never came within one minute")


def while_exhausted(client: Client, call: Callable[[], httpx.Response]) -> httpx.Response:
    """Return the response to `call` in a minute in which no further request is admitted."""
    for _ in range(3):
        last = client.get(UNKNOWN_DOCUMENT)
        for _ in range(40):
            if last.status_code == 429:
                break
            last = client.get(UNKNOWN_DOCUMENT)
        error_of(last, 429, "rate_limited")
        answer = call()
        if time.time() < reset_of(last):
            return answer
    raise AssertionError("the minute turned three times")


@pytest.fixture(scope="module")
def starter(tenants: Tenants) -> Client:
    """An API key with every permission, in a workspace of the plan starter."""
    return tenants.client("", *PERMISSIONS, plan="starter", tier="standard")


def test_ten_calls_a_minute_are_admitted_and_the_eleventh_is_429(tenants: Tenants) -> None:
    client, began = tenants.client(plan="starter", tier="standard"), time.time()
    answers = in_one_minute(client, 12)
    received = time.time()
    assert [answer.status_code for answer in answers] == [404] * 10 + [429] * 2
    assert [numbers(answer) for answer in answers] == [(10, left) for left in (*range(9, -1, -1), 0, 0)]
    assert len({reset_of(answer) for answer in answers}) == 1
    assert reset_of(answers[0]) % 60 == 0
    assert began < reset_of(answers[0]) <= received + 61
    for refused in answers[10:]:
        error = error_of(refused, 429, "rate_limited")
        retry_after = int(refused.headers["Retry-After"])
        assert error["details"] == {"retry_after": retry_after, "window": "minute", "limit": 10}
        assert "10 requests per minute" in error["message"]
        assert received + retry_after >= reset_of(refused)
        assert 1 <= retry_after <= 61


def test_the_rate_limit_is_checked_before_anything_else_on_every_route_and_method(starter: Client) -> None:
    requests: list[tuple[str, str, bytes | None]] = [("GET", "/v1/nothing", None), ("PUT", CREATE.path, None)]
    for operation in OPERATIONS:
        body = b"\xff" if operation.members else None
        requests.append((operation.method, f"{operation.unknown_path}?page=0", body))
    for method, path, body in requests:
        answer = while_exhausted(starter, partial(starter.request, method, path, content=body, headers=NO_UUID))
        error_of(answer, 429, "rate_limited")
        assert numbers(answer) == (10, 0)


def test_an_exhausted_limit_affects_neither_other_callers_nor_open_pages(tenants: Tenants, starter: Client) -> None:
    anonymous, unlimited = tenants.connect(None), tenants.connect(starter.key, admitted=False)
    error_of(while_exhausted(starter, lambda: anonymous.get(UNKNOWN_DOCUMENT)), 401, "invalid_key")
    for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"):
        answer = while_exhausted(starter, partial(unlimited.get, path))
        assert (answer.status_code, set(RATE_HEADERS) & set(answer.headers)) == (200, set())
