"""PATCH and DELETE of a document on the wire: bodies, headers, and the order of checks."""

from typing import Any

import pytest

from tests.http.conftest import Api
from tests.http.test_documents import KEY, MEMBERS

ULID = "01HY0000000000000000000000"
AGAIN = {"Idempotency-Key": KEY}


def address(document: dict[str, Any]) -> str:
    return f"/v1/documents/{document['id']}"


async def test_a_changed_document_is_answered_as_it_is_read_without_a_download(api: Api) -> None:
    path = address(await api.recorded(folder="/a", tags=["x"], description="d"))
    api.clock.advance(seconds=1)
    answer = await api.http.patch(path, json={"name": "b.pdf", "tags": ["y", "z"]})
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert list(data) == [*MEMBERS[:8], "linked_entities", *MEMBERS[8:], "sha256"]
    assert (data["name"], data["tags"], data["folder"], data["description"]) == ("b.pdf", ["y", "z"], "/a", "d")
    assert (data["created_at"], data["updated_at"]) == ("2026-04-17T10:45:00Z", "2026-04-17T10:45:01Z")
    assert answer.headers["ETag"] == '"2"'
    read = await api.http.get(f"{path}?download=false")
    assert (read.content, read.headers["ETag"]) == (answer.content, '"2"')


async def test_null_clears(api: Api) -> None:
    path = address(await api.recorded(folder="/a", tags=["x"], description="d"))
    data = (await api.http.patch(path, json={"description": None, "folder": None, "tags": None})).json()["data"]
    assert (data["description"], data["folder"], data["tags"]) == (None, None, [])


@pytest.mark.parametrize("body", [{}, {"name": "a.pdf"}, {"tags": [], "folder": "/"}])
async def test_what_changes_nothing_leaves_the_state_as_it_is(api: Api, body: dict[str, Any]) -> None:
    path = address(await api.recorded())
    api.clock.advance(seconds=1)
    answer = await api.http.patch(path, json=body)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert answer.json()["data"]["updated_at"] == "2026-04-17T10:45:00Z"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": None}, {"name"}),
        ({"name": " ", "tags": [""], "folder": "a", "description": 1}, {"name", "tags", "folder", "description"}),
        ({"mime_type": "a/b", "storage_path": "x", "size_bytes": 1}, {"mime_type", "storage_path", "size_bytes"}),
    ],
)
async def test_every_wrong_member_of_a_change_is_told(api: Api, body: dict[str, Any], fields: set[str]) -> None:
    answer = await api.http.patch(address(await api.recorded()), json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    assert answer.json()["error"]["details"]["fields"].keys() == fields


async def test_a_change_is_read_as_strictly_as_any_body(api: Api) -> None:
    path = address(await api.recorded())
    for content, headers, status in (
        (b"{}", {"Content-Type": "application/merge-patch+json"}, 415),
        (b'{"name":"a","name":"b"}', {"Content-Type": "application/json"}, 400),
        (b'{"a":"' + b"x" * 70_000 + b'"}', {"Content-Type": "application/json"}, 413),
        (b"[]", {"Content-Type": "application/json"}, 400),
    ):
        assert (await api.http.patch(path, content=content, headers=headers)).status_code == status


async def test_the_last_change_wins_unless_it_says_what_it_has_seen(api: Api) -> None:
    path = address(await api.recorded())
    seen = {"If-Match": (await api.http.get(path)).headers["ETag"]}
    assert (await api.http.patch(path, json={"name": "b"})).status_code == 200
    late = await api.http.patch(path, json={"name": "c"}, headers=seen)
    assert (late.status_code, late.json()["error"]["code"]) == (412, "precondition_failed")
    assert (await api.http.patch(path, json={"name": "c"})).json()["data"]["name"] == "c"


async def test_checks_of_a_change_come_in_order(api: Api) -> None:
    """Each request is wrong in all later ways too; the first wrong one answers."""

    async def code(headers: dict[str, str], content: bytes = b"{") -> tuple[str, list[str]]:
        answer = await api.http.patch(f"/v1/documents/doc_{ULID}", content=content, headers=headers)
        error = answer.json()["error"]
        return error["code"], list(error.get("details", {}).get("fields", ()))

    json = {"Content-Type": "application/json"}
    reader = await api.key("read:documents", "admin:documents")
    assert await code({"Authorization": "Bearer wrong", "If-Match": "1"}) == ("invalid_key", [])
    assert await code({**reader, "If-Match": "1"}) == ("insufficient_permissions", [])
    assert await code({"If-Match": "1"}) == ("validation_error", ["If-Match"])
    assert await code({"If-Match": '"1"'}) == ("unsupported_media_type", [])
    assert await code({"If-Match": '"1"', **json}) == ("validation_error", ["body"])
    assert await code({"If-Match": '"1"', **json}, b'{"name":1}') == ("validation_error", ["name"])
    assert await code({"If-Match": '"1"', **json}, b"{}") == ("not_found", [])


async def test_a_deleted_document_is_gone_and_its_size_given_back(api: Api) -> None:
    document = await api.recorded()
    answer = await api.http.delete(address(document))
    assert (answer.status_code, answer.content) == (204, b"")
    assert {"content-type", "content-length", "etag", "idempotent-replayed"}.isdisjoint(answer.headers)
    assert "X-RateLimit-Remaining" in answer.headers
    assert (await api.http.get(address(document))).status_code == 404
    assert (await api.http.patch(address(document), json={})).status_code == 404
    assert (await api.http.delete(address(document))).status_code == 404
    usage = (await api.http.get("/v1/usage")).json()["data"]
    assert (usage["used_bytes"], usage["documents"]) == (0, 0)
    taken = await api.record(storage_path=document["storage_path"])
    assert taken.status_code == 409
    assert "details" not in taken.json()["error"]


async def test_a_deletion_is_replayed(api: Api) -> None:
    path = address(await api.recorded())
    first, again = [await api.http.delete(path, headers=AGAIN) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content) == (204, b"")
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await api.http.delete(address(await api.recorded()), headers=AGAIN)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")


async def test_a_record_is_replayed_after_its_document_was_changed_and_deleted(api: Api) -> None:
    path = await api.upload()
    first = await api.record(AGAIN, storage_path=path)
    document = address(first.json()["data"])
    await api.http.patch(document, json={"name": "other"})
    assert (await api.record(AGAIN, storage_path=path)).content == first.content
    await api.http.delete(document)
    assert (await api.record(AGAIN, storage_path=path)).content == first.content


async def test_nothing_is_deleted_in_another_state(api: Api) -> None:
    path = address(await api.recorded())
    await api.http.patch(path, json={"name": "b"})
    stale = await api.http.delete(path, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "precondition_failed")
    malformed = await api.http.delete(path, headers={"If-Match": "2"})
    assert list(malformed.json()["error"]["details"]["fields"]) == ["If-Match"]
    assert (await api.http.delete(path, headers={"If-Match": '"2"'})).status_code == 204


async def test_hard_deletes_the_bytes_at_once_for_who_administers(api: Api) -> None:
    document = await api.recorded()
    path = f"{address(document)}?hard=true"
    writer = await api.key("write:documents")
    refused = await api.http.delete(path, headers=writer)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_permissions")
    assert "admin:documents" in refused.json()["error"]["message"]
    admin = await api.key("admin:documents")
    assert "write:documents" in (await api.http.delete(path, headers=admin)).json()["error"]["message"]
    assert await api.service.ports.storage.stat(document["storage_path"]) is not None
    both = await api.key("write:documents", "admin:documents")
    assert (await api.http.delete(path, headers=both)).status_code == 204
    assert await api.service.ports.storage.stat(document["storage_path"]) is None


async def test_who_writes_deletes_and_leaves_the_bytes_to_the_sweep(api: Api) -> None:
    document = await api.recorded()
    writer = await api.key("write:documents")
    assert (await api.http.delete(f"{address(document)}?hard=0", headers=writer)).status_code == 204
    assert await api.service.ports.storage.stat(document["storage_path"]) is not None


@pytest.mark.parametrize("query", ["hard=yes", "hard=", "hard=true&hard=true"])
async def test_any_other_word_for_hard_is_refused(api: Api, query: str) -> None:
    path = address(await api.recorded())
    answer = await api.http.delete(f"{path}?{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"]["fields"])) == (400, ["hard"])
    assert (await api.http.get(path)).status_code == 200


async def test_checks_of_a_deletion_come_in_order(api: Api) -> None:
    """Each request is wrong in all later ways too; the first wrong one answers."""

    async def fields(headers: dict[str, str], query: str = "?hard=x") -> tuple[int, list[str]]:
        answer = await api.http.delete(f"/v1/documents/nonsense{query}", headers=headers)
        return answer.status_code, list(answer.json()["error"].get("details", {}).get("fields", ()))

    bad = {"Idempotency-Key": "no uuid", "If-Match": "1"}
    assert await fields({**await api.key("read:documents"), **bad}) == (403, [])
    assert await fields(bad) == (400, ["Idempotency-Key"])
    assert await fields(AGAIN | {"If-Match": "1"}) == (400, ["If-Match"])
    assert await fields(AGAIN) == (400, ["hard"])
    assert await fields(AGAIN, "?hard=true") == (404, [])


async def test_ids_that_nothing_has_are_one_404(api: Api) -> None:
    ids = [f"doc_{ULID}", "nonsense", f"doc_{ULID.lower()}", f"dlnk_{ULID}"]
    same = {"X-Request-ID": "same"}
    answers = [await api.http.patch(f"/v1/documents/{id_}", json={}, headers=same) for id_ in ids]
    answers += [await api.http.delete(f"/v1/documents/{id_}", headers=same) for id_ in ids]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_405_of_a_document_names_what_it_takes(api: Api) -> None:
    answer = await api.http.put(address(await api.recorded()), json={})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, OPTIONS, PATCH")
