"""The documents API on the wire: bodies, headers, and the order of checks."""

import asyncio
import json

import pytest

from tests.http.conftest import Api

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MEMBERS = (
    "id name description mime_type size_bytes storage_path folder tags created_by created_at updated_at".split()  # noqa: SIM905
)


async def test_a_recorded_document_has_the_eleven_members_in_order(api: Api) -> None:
    answer = await api.record(folder="/a/b", tags=["nda"], description="for Ö")
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert list(data) == MEMBERS
    assert list(answer.json()) == ["data"]
    assert answer.headers["Location"] == f"/v1/documents/{data['id']}"
    assert data["created_at"] == data["updated_at"] == "2026-04-17T10:45:00Z"
    assert (data["folder"], data["tags"], data["description"], data["size_bytes"]) == ("/a/b", ["nda"], "for Ö", 7)


async def test_what_is_left_out_is_null_and_no_tags_are_an_empty_list(api: Api) -> None:
    data = (await api.record()).json()["data"]
    assert (data["folder"], data["description"], data["tags"]) == (None, None, [])


async def test_a_document_is_read_with_a_download_url_that_gives_its_bytes(api: Api) -> None:
    id_ = (await api.record()).json()["data"]["id"]
    answer = await api.http.get(f"/v1/documents/{id_}")
    data = answer.json()["data"]
    assert list(data) == [
        *MEMBERS[:8],
        *("linked_entities", "download_url", "download_url_expires_at"),
        *MEMBERS[8:],
        "sha256",
    ]
    assert answer.headers["ETag"] == '"1"'
    assert data["download_url_expires_at"] == "2026-04-17T11:00:00Z"
    assert (await api.http.get(data["download_url"])).content == b"content"


@pytest.mark.parametrize("word", ["false", "0"])
async def test_a_document_is_read_without_a_download_url_on_request(api: Api, word: str) -> None:
    id_ = (await api.record()).json()["data"]["id"]
    data = (await api.http.get(f"/v1/documents/{id_}?download={word}")).json()["data"]
    assert not {"download_url", "download_url_expires_at"} & data.keys()


@pytest.mark.parametrize("query", ["download=yes", "download=", "download=true&download=true", "download=TRUE"])
async def test_any_other_word_for_download_is_refused(api: Api, query: str) -> None:
    id_ = (await api.record()).json()["data"]["id"]
    answer = await api.http.get(f"/v1/documents/{id_}?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]["fields"]) == ["download"]


async def test_bytes_that_changed_are_409_and_the_record_alone_is_still_read(api: Api) -> None:
    data = (await api.record()).json()["data"]
    api.service.ports.storage.swap(data["storage_path"], b"other")  # type: ignore[attr-defined]
    answer = await api.http.get(f"/v1/documents/{data['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "object_changed")
    assert (await api.http.get(f"/v1/documents/{data['id']}?download=false")).status_code == 200


async def test_a_replay_is_equal_to_the_byte_but_for_its_own_headers(api: Api) -> None:
    path = await api.upload()
    first, again = [await api.record({"Idempotency-Key": f'"{KEY.upper()}"'}, storage_path=path) for _ in range(2)]
    assert (first.status_code, first.content, first.headers["Location"]) == (
        again.status_code,
        again.content,
        again.headers["Location"],
    )
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["X-Request-ID"] != again.headers["X-Request-ID"]


async def test_a_key_for_another_body_is_422(api: Api) -> None:
    path = await api.upload()
    await api.record({"Idempotency-Key": KEY}, storage_path=path)
    answer = await api.record({"Idempotency-Key": KEY}, storage_path=path, name="b.pdf")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_mismatch")


async def test_two_idempotency_keys_are_refused_even_when_equal(api: Api) -> None:
    path = await api.upload()
    headers = [("Idempotency-Key", KEY), ("Idempotency-Key", KEY)]
    body = {"name": "a", "mime_type": "a/b", "storage_path": path}
    answer = await api.http.post("/v1/documents", json=body, headers=headers)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]["fields"]) == ["Idempotency-Key"]


async def test_a_taken_path_names_the_document(api: Api) -> None:
    first = (await api.record()).json()["data"]
    answer = await api.record(storage_path=first["storage_path"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "storage_conflict")
    assert answer.json()["error"]["details"] == {"document_id": first["id"]}


async def test_every_wrong_member_is_told(api: Api) -> None:
    body = {"name": "", "mime_type": "pdf", "size_bytes": True, "folder": "a", "tags": [1], "description": 0, "x": 1}
    answer = await api.http.post("/v1/documents", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "validation_error")
    assert error["details"]["fields"].keys() == body.keys() | {"storage_path"}


async def test_over_quota_is_403_with_the_numbers(api: Api) -> None:
    path = await api.upload(b"x" * 11)
    await api.service.ports.workspaces.update(api.workspace.id, None, 10)
    answer = await api.record(storage_path=path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "quota_exceeded")
    assert answer.json()["error"]["details"] == {"limit_bytes": 10, "used_bytes": 0, "requested_bytes": 11}


async def test_an_upload_over_the_limit_is_413(api: Api) -> None:
    body = {"name": "a", "mime_type": "a/b", "size_bytes": 5 * 2**30 + 1}
    answer = await api.http.post("/v1/documents/upload-url", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload_too_large")


async def test_checks_come_in_the_order_of_the_contract(api: Api) -> None:
    """Each request is wrong in all later ways too; the first wrong one answers."""
    bad = {"Idempotency-Key": "no uuid", "Content-Type": "text/plain"}

    async def code(headers: dict[str, str]) -> str:
        answer = await api.http.post("/v1/documents", content=b"{", headers=headers)
        return str(answer.json()["error"]["code"])

    reader = await api.key("read:documents")
    assert await code({"Authorization": "Bearer wrong", **bad}) == "invalid_key"
    assert await code({**reader, **bad}) == "insufficient_permissions"
    assert await code(bad) == "validation_error"
    assert await code({"Content-Type": "text/plain"}) == "unsupported_media_type"
    assert await code({"Content-Type": "application/json"}) == "validation_error"


async def test_a_missing_permission_is_named(api: Api) -> None:
    answer = await api.http.post("/v1/documents", json={}, headers=await api.key("admin:documents"))
    assert answer.status_code == 403
    assert "write:documents" in answer.json()["error"]["message"]


async def test_twins_at_the_same_time_make_one_document(api: Api) -> None:
    path = await api.upload()
    answers = await asyncio.gather(*(api.record({"Idempotency-Key": KEY}, storage_path=path) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1


async def test_names_of_any_script_go_out_as_they_came_in(api: Api) -> None:
    name = 'Müller & Söhne – NDA "final".pdf'
    answer = await api.record(name=name)
    assert json.loads(answer.content)["data"]["name"] == name
