"""Rate limits: aligned minutes, exact counts, and what is exempt."""

import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import httpx
import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, data_of, error_of
from .documents import NO_UUID, document_path
from .keys import KEYS, PERMISSIONS
from .operations import CREATE, OPERATIONS, Operation
from .tenants import Tenants

UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)


def reset_of(answer: httpx.Response) -> int:
    return int(answer.headers["X-RateLimit-Reset"])


def numbers(answer: httpx.Response) -> tuple[int, int]:
    return int(answer.headers["X-RateLimit-Limit"]), int(answer.headers["X-RateLimit-Remaining"])


def in_one_minute(client: Client, count: int) -> list[httpx.Response]:
    """Return the first `count` answers of one minute, or of the next if the minute turns meanwhile."""
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
    """Return the answer to `call` in a minute that has no request left."""
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
    return tenants.client(plan="starter", tier="standard")


@pytest.fixture(scope="module")
def spared(tenants: Tenants, starter: Client) -> Client:
    """An unmetered API key of the same workspace."""
    return tenants.client(starter.workspace)


@pytest.fixture(scope="module")
def everything(tenants: Tenants, starter: Client) -> Client:
    """An API key of the same workspace with every permission."""
    return tenants.client(starter.workspace, *PERMISSIONS, tier="standard")


def test_ten_calls_a_minute_are_admitted_and_the_eleventh_is_429(tenants: Tenants) -> None:
    answers = in_one_minute(tenants.client(plan="starter", tier="standard"), 12)
    received = time.time()
    assert [answer.status_code for answer in answers] == [404] * 10 + [429] * 2
    assert [numbers(answer) for answer in answers] == [(10, left) for left in (*range(9, -1, -1), 0, 0)]
    assert len({reset_of(answer) for answer in answers}) == 1
    assert reset_of(answers[0]) % 60 == 0
    assert received - 1 < reset_of(answers[0]) <= received + 61
    for refused in answers[10:]:
        error = error_of(refused, 429, "rate_limited")
        retry_after = int(refused.headers["Retry-After"])
        assert error["details"] == {"retry_after": retry_after}
        assert received + retry_after >= reset_of(refused)
        assert 1 <= retry_after <= 61


def test_a_refused_request_records_nothing_and_leaves_its_idempotency_key_free(starter: Client, spared: Client) -> None:
    path, key = spared.upload(), {"Idempotency-Key": str(uuid4())}
    refused = while_exhausted(starter, lambda: starter.record(path, key))
    error_of(refused, 429, "rate_limited")
    recorded = spared.record(path, key)
    data_of(recorded, 201)
    assert "Idempotent-Replayed" not in recorded.headers


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_operation_is_limited_before_anything_else_is_judged(everything: Client, operation: Operation) -> None:
    path, body = f"{operation.unknown_path}?page=0", b"\xff" if operation.members else None
    call = partial(everything.request, operation.method, path, content=body, headers=NO_UUID)
    answer = while_exhausted(everything, call)
    error_of(answer, 429, "rate_limited")
    assert numbers(answer) == (10, 0)
    assert time.time() + int(answer.headers["Retry-After"]) >= reset_of(answer)


def test_an_unknown_route_a_wrong_method_and_a_lacking_permission_are_limited_too(starter: Client) -> None:
    for method, path in (("GET", "/v1/nothing"), ("PUT", CREATE.path), ("GET", KEYS)):
        error_of(while_exhausted(starter, partial(starter.request, method, path)), 429, "rate_limited")


def test_an_unknown_api_key_is_401_even_beside_an_exhausted_one(tenants: Tenants, starter: Client) -> None:
    anonymous = tenants.connect(None)
    error_of(while_exhausted(starter, lambda: anonymous.get(UNKNOWN_DOCUMENT)), 401, "invalid_key")


def test_the_plans_pro_and_org_have_50_and_200_and_the_tier_high_ten_times_as_many(
    tenants: Tenants, home: Client
) -> None:
    pro, org = tenants.client(plan="pro", tier="standard"), tenants.client(home.workspace, tier="standard")
    high = tenants.client(home.workspace, tier="high")
    for client, a_minute in ((pro, 50), (org, 200), (high, 2000)):
        limit, left = numbers(client.get(UNKNOWN_DOCUMENT))
        assert limit == a_minute
        assert left < limit


def test_an_unmetered_api_key_is_never_refused_and_its_headers_show_the_plan_unused(spared: Client) -> None:
    answers = [spared.get(UNKNOWN_DOCUMENT) for _ in range(40)]
    assert {answer.status_code for answer in answers} == {404}
    assert {numbers(answer) for answer in answers} == {(10, 10)}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"])
def test_the_pages_for_operators_are_not_limited(tenants: Tenants, starter: Client, path: str) -> None:
    unlimited = tenants.connect(starter.key, admitted=False)
    assert while_exhausted(starter, partial(unlimited.get, path)).status_code == 200
