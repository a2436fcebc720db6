"""DELETE /v1/documents/{id}: the record is gone at once, its place is given back, its path stays taken."""

from functools import partial
from typing import Any

import httpx
import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, data_of, error_of, wrong_fields
from .documents import (
    DOCUMENTS,
    FOLDERS,
    NO_UUID,
    TAGS,
    change,
    delete,
    deleted,
    document_path,
    ids,
    is_replay,
    link_entity,
    linked_entity,
    listed,
    new_idempotency_key,
    rows,
    unlink_entity,
    usage,
)
from .keys import KEYS
from .tenants import Tenants

GONE = {403, 404, 409, 410}
"""How a store may answer a signed URL when there are no bytes."""


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    """In a workspace of its own."""
    return tenants.client()


def test_it_is_204_without_a_body(home: Client, stored: str) -> None:
    answer = delete(home, home.recorded(stored)["id"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"Content-Type", "ETag", "Idempotent-Replayed"} & set(answer.headers)


def test_what_is_deleted_is_nowhere_any_more(owner: Client) -> None:
    members: dict[str, Any] = {"folder": "/gone", "tags": ["gone"], "name": "gone.txt"}
    stays, goes = owner.recorded(folder="/gone")["id"], owner.recorded(**members)["id"]
    tie = linked_entity(owner, goes, entity_id="gone")
    deleted(owner, goes)
    for answer in (
        owner.get(document_path(goes)),
        owner.get(f"{document_path(goes)}?download=false"),
        change(owner, goes, name="b"),
        link_entity(owner, goes),
        unlink_entity(owner, goes, tie["link_id"]),
        delete(owner, goes),
        delete(owner, goes, {"If-Match": "*"}),
        delete(owner, goes, new_idempotency_key()),
    ):
        error_of(answer, 404, "not_found")
    assert ids(owner) == ids(owner, "folder=/gone") == [stays]
    for query in ("tag=gone", "search=gone.txt", f"cursor={'7' + 'Z' * 25}&tag=gone"):
        assert ids(owner, query) == []
    assert listed(owner)["meta"]["total"] == 1
    assert rows(owner, path="/v1/matters/gone/documents") == []
    assert rows(owner, path=TAGS) == []
    assert [row["documents"] for row in rows(owner, path=FOLDERS)] == [1]


def test_the_quota_is_given_back_to_the_byte(tenants: Tenants) -> None:
    client = tenants.client(quota="1000")
    made = [client.recorded(client.upload(b"x" * size))["id"] for size in (600, 0, 400)]
    waiting = client.upload(b"x")
    error_of(client.record(waiting), 403, "quota_exceeded")
    deleted(client, made[1])
    assert usage(client) == (1000, 2)
    deleted(client, made[2])
    assert usage(client) == (600, 1)
    client.recorded(waiting)
    assert usage(client) == (601, 2)
    for _ in range(2):
        error_of(delete(client, made[2]), 404, "not_found")
    assert usage(client) == (601, 2)
    error_of(client.record(client.upload(b"x" * 400)), 403, "quota_exceeded")
    client.recorded(client.upload(b"x" * 399))


@pytest.mark.parametrize("hard", [False, True])
def test_the_path_stays_taken_and_names_no_document(manager: Client, hard: bool) -> None:
    signed = manager.sign_upload()
    manager.put(signed, b"hello")
    document_id = manager.recorded(signed.storage_path)["id"]
    deleted(manager, document_id, query="?hard=true" if hard else "")
    before = usage(manager)
    for _ in range(2):
        answer = manager.record(signed.storage_path)
        if hard and answer.status_code == 400:
            assert wrong_fields(answer) == {"storage_path"}  # there are no bytes either
        else:
            assert "details" not in error_of(answer, 409, "storage_conflict")
        assert document_id not in answer.text
        manager.put(signed, b"again")  # whether the store takes it or not: it is never recorded
    assert usage(manager) == before


def test_hard_deletes_the_bytes_at_once(manager: Client) -> None:
    for query in ("?hard=true", "?hard=1"):
        document_id = manager.recorded(manager.upload(b"secret"))["id"]
        url = manager.download_url(document_id)
        assert manager.storage("GET", url).content == b"secret"
        deleted(manager, document_id, query=query)
        answer = manager.storage("GET", url)
        assert answer.status_code in GONE
        assert b"secret" not in answer.content
        error_of(manager.get(document_path(document_id)), 404, "not_found")


def test_hard_needs_admin_documents_too(tenants: Tenants, home: Client, stored: str) -> None:
    document_id = home.recorded(stored)["id"]
    admin = tenants.client(home.workspace, "admin:documents")
    for id_ in (document_id, UNKNOWN_DOCUMENT_ID, "x"):
        refused = error_of(delete(home, id_, query="?hard=true"), 403, "insufficient_permissions")
        assert "admin:documents" in refused["message"]
        for query in ("", "?hard=true", "?hard=nonsense"):
            refused = error_of(delete(admin, id_, query=query), 403, "insufficient_permissions")
            assert "write:documents" in refused["message"]
    assert home.storage("GET", home.download_url(document_id)).content == b"hello"
    for query in ("?hard=false", "?hard=0", ""):
        deleted(home, home.recorded()["id"], query=query)


@pytest.mark.parametrize("value", ["", "2", "yes", "TRUE", "null", "true,", "%00", "%ff", "true&hard=true"])
def test_a_malformed_hard_is_named_and_nothing_is_deleted(manager: Client, value: str) -> None:
    document_id = manager.recorded()["id"]
    assert wrong_fields(delete(manager, document_id, query=f"?hard={value}")) == {"hard"}
    assert manager.get(document_path(document_id)).status_code == 200


def test_a_replay_is_the_same_answer_and_deletes_nothing_else(home: Client) -> None:
    key, document_id = new_idempotency_key(), home.recorded()["id"]
    answers = [delete(home, document_id, key) for _ in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    assert [is_replay(answer) for answer in answers] == [False, True, True]
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 3
    error_of(delete(home, document_id), 404, "not_found")


def test_a_hard_delete_is_replayed_too_and_is_another_request_than_a_soft_one(manager: Client) -> None:
    key, document_id = new_idempotency_key(), manager.recorded()["id"]
    assert [delete(manager, document_id, key, query="?hard=true").status_code for _ in range(2)] == [204, 204]
    assert is_replay(delete(manager, document_id, key, query="?hard=1"))
    error_of(delete(manager, document_id, key), 422, "idempotency_mismatch")


def test_the_key_of_another_request_is_422_and_nothing_is_deleted(manager: Client) -> None:
    doomed, other = (manager.recorded()["id"] for _ in range(2))
    tie = linked_entity(manager, other)
    used, path, made = new_idempotency_key(), manager.upload(), new_idempotency_key()
    assert delete(manager, doomed, used).status_code == 204
    data_of(manager.record(path, made), 201)
    for answer in (
        delete(manager, other, used),
        delete(manager, other, made),
        delete(manager, doomed, made),
        link_entity(manager, other, used),
        unlink_entity(manager, other, tie["link_id"], used),
        manager.record(manager.upload(), used),
        manager.post(KEYS, {"name": "k", "permissions": ["read:documents"]}, used),
    ):
        error_of(answer, 422, "idempotency_mismatch")
    assert manager.get(document_path(other)).json()["data"]["linked_entities"] == [
        {"entity_type": "matter", "entity_id": "m-1"}
    ]
    assert is_replay(delete(manager, doomed, used))


def test_a_refused_delete_leaves_the_key_free(home: Client, reader: Client, neighbour: Client) -> None:
    key, document_id, theirs = new_idempotency_key(), home.recorded()["id"], neighbour.recorded()["id"]
    for refused, status in (
        (delete(home, UNKNOWN_DOCUMENT_ID, key), 404),
        (delete(home, theirs, key), 404),
        (delete(home, document_id, key, query="?hard=true"), 403),
        (delete(home, document_id, key, query="?hard=x"), 400),
        (delete(reader, document_id, key), 403),
    ):
        assert refused.status_code == status
    answer = delete(home, document_id, key)
    assert (answer.status_code, is_replay(answer)) == (204, False)
    assert neighbour.get(document_path(theirs)).status_code == 200


def test_an_idempotency_key_that_is_no_uuid_is_400_before_the_id_is_looked_at(home: Client) -> None:
    document_id = home.recorded()["id"]
    for id_ in (document_id, UNKNOWN_DOCUMENT_ID, "x"):
        for headers in (
            NO_UUID,
            {"Idempotency-Key": ""},
            [*new_idempotency_key().items(), *new_idempotency_key().items()],
        ):
            (name,) = wrong_fields(delete(home, id_, headers))
            assert "idempotency" in name.lower()
    assert home.get(document_path(document_id)).status_code == 200


def test_a_late_retry_of_the_create_gets_the_old_answer_and_resurrects_nothing(owner: Client) -> None:
    key, path = new_idempotency_key(), owner.upload()
    before = usage(owner), listed(owner)["meta"]["total"]
    first = owner.record(path, key, folder="/late", tags=["late"])
    document_id = data_of(first, 201)["id"]
    deleted(owner, document_id)
    for _ in range(2):
        again = owner.record(path, key, folder="/late", tags=["late"])
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Location"] == first.headers["Location"]
    error_of(owner.get(document_path(document_id)), 404, "not_found")
    assert (usage(owner), listed(owner)["meta"]["total"]) == before
    assert ids(owner, "folder=/late") == ids(owner, "tag=late") == []


def test_a_body_and_an_unknown_parameter_are_ignored(home: Client) -> None:
    def with_body(document_id: str) -> httpx.Response:
        return home.request("DELETE", document_path(document_id), content=b"{")

    for call in (with_body, partial(delete, home, query="?force=maybe&Hard=2")):
        assert call(home.recorded()["id"]).status_code == 204
    error_of(home.delete(DOCUMENTS), 405, "method_not_allowed")
