"""DELETE /v1/documents/{id}: the record is deleted at once, its size no longer counts, and its path stays used."""

import pytest

from .client import Client, error_of, wrong_fields
from .documents import (
    FOLDERS,
    TAGS,
    change,
    delete,
    deleted,
    document_path,
    ids,
    link_entity,
    linked_entity,
    listed,
    new_idempotency_key,
    rows,
    unlink_entity,
    usage,
)
from .service import eventually
from .tenants import Tenants

GONE = {403, 404, 409, 410}
"""The statuses with which a store may answer a signed URL whose object is deleted."""


@pytest.fixture(scope="module")
def owner(tenants: Tenants) -> Client:
    """A client in a workspace of its own."""
    return tenants.client()


def test_a_deleted_document_appears_in_no_response(owner: Client) -> None:
    stays = owner.recorded(folder="/gone")["id"]
    gone = owner.recorded(folder="/gone", tags=["gone"], name="gone.txt")["id"]
    entity_link = linked_entity(owner, gone, entity_id="gone")
    answer = delete(owner, gone)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"Content-Type", "Content-Length", "ETag", "Idempotent-Replayed"} & set(answer.headers)
    for answer in (
        owner.get(document_path(gone)),
        change(owner, gone, name="b"),
        link_entity(owner, gone),
        unlink_entity(owner, gone, entity_link["link_id"]),
        delete(owner, gone),
        delete(owner, gone, new_idempotency_key() | {"If-Match": "*"}),
    ):
        error_of(answer, 404, "not_found")
    assert ids(owner) == ids(owner, "folder=/gone") == [stays]
    assert ids(owner, "tag=gone") == []
    assert listed(owner)["meta"]["total"] == 1
    assert rows(owner, path="/v1/matters/gone/documents") == []
    assert rows(owner, path=TAGS) == []
    assert [row["documents"] for row in rows(owner, path=FOLDERS)] == [1]


@pytest.mark.parametrize("query", ["", "?hard=1"])
def test_a_delete_frees_quota_but_not_the_path_and_hard_also_deletes_the_bytes(manager: Client, query: str) -> None:
    signed, before = manager.sign_upload(), usage(manager)
    manager.put(signed, b"hello")
    document_id = manager.recorded(signed.storage_path)["id"]
    url = manager.download_url(document_id)
    assert manager.storage("GET", url).content == b"hello"
    deleted(manager, document_id, query=query)
    assert usage(manager) == before
    if not query:
        eventually(lambda: manager.storage("GET", url).status_code in GONE, 10, "the bytes are deleted")
    answer = manager.storage("GET", url)
    assert answer.status_code in GONE
    assert b"hello" not in answer.content
    for _ in range(2):
        answer = manager.record(signed.storage_path)
        if answer.status_code == 400:
            assert wrong_fields(answer) == {"storage_path"}  # the object is gone too
        else:
            assert "details" not in error_of(answer, 409, "storage_conflict")
        assert document_id not in answer.text
        manager.put(signed, b"again")  # a store may accept this upload, but the path is never recorded again


def test_the_body_of_a_delete_is_ignored(home: Client) -> None:
    answer = home.request("DELETE", document_path(home.recorded()["id"]), content=b"{")
    assert answer.status_code == 204
