"""Idempotency-Key over HTTP, for every operation that honours one: two equal requests have one effect and one response.

tests/contracts/test_idempotency_keys.py proves how long a receipt is kept, and that a refusal does not use up its key.
"""

from dataclasses import replace
from functools import partial
from uuid import uuid4

import httpx
import pytest

from .client import Client, HeaderList, error_of, together
from .documents import is_replay, new_idempotency_key
from .operations import CREATE, DELETE, IDEMPOTENT, LINK, MINT, MOVE, PATCH, REVOKE, Operation

OTHER = {
    **{operation: {"name": "other"} for operation in (CREATE, PATCH, MINT)},
    LINK: {"role": "other"},
    MOVE: {"to": "/other"},
}
"""Members with which a request of the operation is another one, of the same target."""
each_operation = pytest.mark.parametrize("operation", IDEMPOTENT, ids=str)


def has_effect(operation: Operation, answer: httpx.Response) -> None:
    """Whether the request was performed, and is not a replay."""
    assert (answer.status_code, is_replay(answer)) == (operation.success, False), answer.text


@each_operation
def test_only_the_same_request_is_replayed(manager: Client, stranger: Client, operation: Operation) -> None:
    call, key = operation.call(manager), str(uuid4())
    first = call.send(manager, {"Idempotency-Key": key})
    has_effect(operation, first)
    for spelling in (key, f'"{key.upper()}"'):
        again = call.send(manager, {"Idempotency-Key": spelling})
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        for name in ("Location", "Content-Type", "ETag"):
            assert again.headers.get(name) == first.headers.get(name)
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    others = [operation.call(manager), IDEMPOTENT[IDEMPOTENT.index(operation) - 1].call(manager)]
    others += [replace(call, body=(call.body or {}) | OTHER[operation])] if operation in OTHER else []
    others += [replace(call, path=f"{call.path}?hard=true")] if operation is DELETE else []
    for other in others:
        error_of(other.send(manager, {"Idempotency-Key": key}), 422, "idempotency_mismatch")
    has_effect(operation, operation.call(stranger).send(stranger, {"Idempotency-Key": key}))


@each_operation
def test_an_idempotency_key_that_is_not_one_uuid_is_400_without_effect(manager: Client, operation: Operation) -> None:
    call, twice = operation.call(manager), [("Idempotency-Key", str(uuid4()))] * 2
    no_uuids: list[HeaderList] = [{"Idempotency-Key": ""}, {"Idempotency-Key": "null"}, twice]
    for headers in no_uuids:
        answer = call.send(manager, headers)
        error_of(answer, 400, "validation_error")
        assert "idempotency" in answer.text.lower()
    has_effect(operation, call.send(manager))


def test_without_an_idempotency_key_a_repeated_request_meets_the_first_result(manager: Client) -> None:
    for operation, status in ((CREATE, 409), (DELETE, 404), (LINK, 200), (MINT, 409), (REVOKE, 204)):
        call = operation.call(manager)
        assert [call.send(manager).status_code for _ in range(2)] == [operation.success, status]


@each_operation
def test_equal_requests_at_once_have_one_effect_and_equal_responses(manager: Client, operation: Operation) -> None:
    call, key = operation.call(manager), new_idempotency_key()
    answers = together([partial(call.send, manager, key)] * 8)
    assert {(answer.status_code, answer.content) for answer in answers} == {(operation.success, answers[0].content)}
    assert [is_replay(answer) for answer in answers].count(False) == 1
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 8
