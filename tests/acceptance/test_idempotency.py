"""Idempotency-Key, for every operation that takes one: the same request twice has one effect and one answer."""

from dataclasses import replace
from functools import partial
from uuid import uuid4

import httpx
import pytest

from .client import Client, HeaderList, data_of, error_of, together
from .documents import is_replay, new_idempotency_key
from .keys import KEYS, PERMISSIONS, minted, wanted
from .operations import CREATE, DELETE, IDEMPOTENT, LINK, MINT, REVOKE, WITH_A_BODY, Operation
from .tenants import Tenants

each_operation = pytest.mark.parametrize("operation", IDEMPOTENT, ids=str)


@pytest.fixture(scope="module")
def colleague(tenants: Tenants, manager: Client) -> Client:
    """Another API key of the manager's workspace, with every permission."""
    return tenants.connect(minted(manager, permissions=list(PERMISSIONS), rate_limit_tier="unmetered")["key"])


def has_effect(operation: Operation, answer: httpx.Response) -> None:
    """The request was accepted, and not as a replay."""
    assert (answer.status_code, is_replay(answer)) == (operation.success, False), answer.text


def is_mismatch(answer: httpx.Response) -> None:
    error_of(answer, 422, "idempotency_mismatch")


@each_operation
def test_a_replay_is_the_same_answer_with_its_own_request_id(
    manager: Client, colleague: Client, operation: Operation
) -> None:
    """The receipt belongs to the workspace, so every API key of it gets the replay."""
    call, key = operation.call(manager), str(uuid4())
    first = call.send(manager, {"Idempotency-Key": key})
    has_effect(operation, first)
    spellings = [key, f'"{key}"', key.upper(), f'"{key.upper()}"']
    for client, spelling in [*((manager, each) for each in spellings), (colleague, key)]:
        again = call.send(client, {"Idempotency-Key": spelling})
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        for name in ("Location", "Content-Type"):
            assert again.headers.get(name) == first.headers.get(name)
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]


def test_a_replay_shows_no_api_key_to_a_caller_who_could_not_have_made_it(tenants: Tenants, manager: Client) -> None:
    key, body = new_idempotency_key(), wanted(permissions=list(PERMISSIONS))
    first = manager.post(KEYS, body, key)
    secret = data_of(first, 201)["key"]
    for permissions in (["admin:api_keys"], ["read:documents"]):
        lesser = minted(manager, permissions=permissions, rate_limit_tier="unmetered")
        answer = tenants.connect(lesser["key"]).post(KEYS, body, key)
        error_of(answer, 403, "insufficient_permissions")
        assert secret[4:] not in answer.text
    assert manager.post(KEYS, body, key).content == first.content


def test_an_idempotency_key_is_refused_for_every_other_request_and_belongs_to_its_workspace(
    manager: Client, stranger: Client
) -> None:
    for operation in IDEMPOTENT:
        key = new_idempotency_key()
        first = operation.call(manager)
        answer = first.send(manager, key)
        has_effect(operation, answer)
        for other in IDEMPOTENT:
            is_mismatch(other.call(manager).send(manager, key))
        has_effect(operation, operation.call(stranger).send(stranger, key))
        assert first.send(manager, key).content == answer.content


def test_a_hard_and_a_soft_delete_are_different_requests(manager: Client) -> None:
    call, key = DELETE.call(manager), new_idempotency_key()
    has_effect(DELETE, replace(call, path=f"{call.path}?hard=true").send(manager, key))
    is_mismatch(call.send(manager, key))


A_UUID = "6fa459ea-ee8a-3ca4-894e-db77e160355e"
NO_UUIDS: list[HeaderList] = [
    *({"Idempotency-Key": value} for value in ("", '""', "null", "x" * 5000, A_UUID[:-1], f'"{A_UUID}', f"{A_UUID} x")),
    *([("Idempotency-Key", A_UUID), ("Idempotency-Key", other)] for other in (A_UUID, str(uuid4()))),
]


@each_operation
def test_a_key_that_is_no_single_uuid_is_400_and_the_request_has_no_effect(
    manager: Client, operation: Operation
) -> None:
    call = operation.call(manager)
    for headers in NO_UUIDS:
        answer = call.send(manager, headers)
        error_of(answer, 400, "validation_error")
        assert "idempotency" in answer.text.lower()
    has_effect(operation, call.send(manager))


@each_operation
def test_a_refused_request_leaves_its_key_free(
    tenants: Tenants, manager: Client, stranger: Client, operation: Operation
) -> None:
    key, call = new_idempotency_key(), operation.call(manager)
    if operation in WITH_A_BODY:
        for body, status in ((b"{", 400), (b"{}", 400), (b" " * 70_000, 413)):
            assert manager.send(call.method, call.path, body, key).status_code == status
    permission = next(name for name in PERMISSIONS if name != operation.permission)
    lesser = minted(manager, permissions=[permission], rate_limit_tier="unmetered")
    assert call.send(tenants.connect(lesser["key"]), key).status_code == 403
    if operation.names_a_record:
        assert operation.call(stranger).send(manager, key).status_code == 404
    if operation is CREATE:
        signed = manager.sign_upload()
        taken = manager.document(manager.recorded()["storage_path"])
        call = replace(call, body=manager.document(signed.storage_path))
        assert [each.send(manager, key).status_code for each in (call, replace(call, body=taken))] == [400, 409]
        manager.put(signed, b"hello")
    has_effect(operation, call.send(manager, key))


def test_without_a_key_the_second_request_meets_the_first(manager: Client) -> None:
    for operation, status in ((CREATE, 409), (DELETE, 404), (LINK, 200), (MINT, 409), (REVOKE, 204)):
        call = operation.call(manager)
        assert [call.send(manager).status_code for _ in range(2)] == [operation.success, status]


@each_operation
def test_twins_at_once_have_one_effect_and_equal_answers(manager: Client, operation: Operation) -> None:
    call, key = operation.call(manager), new_idempotency_key()
    answers = together([partial(call.send, manager, key)] * 8)
    assert {(answer.status_code, answer.content) for answer in answers} == {(operation.success, answers[0].content)}
    assert [is_replay(answer) for answer in answers].count(False) == 1
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 8
