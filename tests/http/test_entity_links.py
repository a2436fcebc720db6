"""Links on the wire: made, listed from both sides, removed."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.http.conftest import Api
from tests.http.test_documents import KEY

ULID = "01HY0000000000000000000000"
AGAIN = {"Idempotency-Key": KEY}
ACME = {"entity_type": "company", "entity_id": "acme"}
PLURALS = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "event": "events",
    "matter": "matters",
    "task": "tasks",
}


async def link(api: Api, document: str, headers: dict[str, str] | None = None, **members: Any) -> httpx.Response:
    """POST a link of a document; what is not given is that to a company."""
    return await api.http.post(f"/v1/documents/{document}/link", json=ACME | members, headers=headers)


async def linked_to(api: Api, path: str) -> list[str]:
    """The ids of the documents in such a list."""
    answer = await api.http.get(f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]["documents"]]


async def test_a_link_has_the_members_of_the_contract_in_its_order(api: Api) -> None:
    id_ = (await api.recorded())["id"]
    answer = await link(api, id_, role="signed agreement")
    assert answer.status_code == 201
    assert "Location" not in answer.headers
    data = answer.json()["data"]
    assert list(data) == ["link_id", "document_id", "entity_type", "entity_id", "role", "created_at"]
    assert data["link_id"].startswith("dlnk_")
    assert list(data.values())[1:] == [id_, "company", "acme", "signed agreement", "2026-04-17T10:45:00Z"]


async def test_a_link_that_is_there_is_200_and_stays_as_it_is(api: Api) -> None:
    id_ = (await api.recorded())["id"]
    first = await link(api, id_, role="draft")
    api.clock.advance(seconds=1)
    second = await link(api, id_, role="final")
    assert (second.status_code, second.content) == (200, first.content)
    assert "Idempotent-Replayed" not in second.headers


@pytest.mark.parametrize("status", [201, 200])
async def test_a_replay_has_the_same_status_and_bytes(api: Api, status: int) -> None:
    id_ = (await api.recorded())["id"]
    if status == 200:
        await link(api, id_)
    first, again = [await link(api, id_, AGAIN) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.status_code == status
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await link(api, id_, AGAIN, entity_id="other")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")


async def test_a_replay_outlives_the_link_and_its_document(api: Api) -> None:
    id_ = (await api.recorded())["id"]
    first = await link(api, id_, AGAIN)
    await api.http.delete(f"/v1/documents/{id_}")
    again = await link(api, id_, AGAIN)
    assert (again.status_code, again.content) == (201, first.content)


async def test_twins_at_the_same_time_make_one_link(api: Api) -> None:
    id_ = (await api.recorded())["id"]
    answers = await asyncio.gather(*(link(api, id_) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.content for answer in answers}) == 1


async def test_a_document_tells_what_it_is_linked_to_and_keeps_its_state(api: Api) -> None:
    id_ = (await api.recorded())["id"]
    await link(api, id_, role="draft")
    await link(api, id_, entity_type="task", entity_id="7")
    answer = await api.http.get(f"/v1/documents/{id_}")
    assert answer.headers["ETag"] == '"1"'
    linked = [{"entity_type": "company", "entity_id": "acme"}, {"entity_type": "task", "entity_id": "7"}]
    assert answer.json()["data"]["linked_entities"] == linked
    assert [list(entity) for entity in answer.json()["data"]["linked_entities"]] == [["entity_type", "entity_id"]] * 2
    changed = await api.http.patch(f"/v1/documents/{id_}", json={"name": "b"})
    assert changed.json()["data"]["linked_entities"] == linked


@pytest.mark.parametrize("entity_type", PLURALS)
async def test_each_kind_of_thing_lists_its_own_documents(api: Api, entity_type: str) -> None:
    id_ = (await api.recorded())["id"]
    assert (await link(api, id_, entity_type=entity_type, entity_id="7")).status_code == 201
    for kind, plural in PLURALS.items():
        assert await linked_to(api, f"{plural}/7/documents") == ([id_] if kind == entity_type else [])


async def test_a_row_has_the_members_of_the_contract_in_its_order(api: Api) -> None:
    recorded = await api.recorded(folder="/a", tags=["nda"])
    api.clock.advance(days=1)
    await link(api, recorded["id"], role="draft")
    body = (await api.http.get("/v1/companies/acme/documents")).json()
    assert list(body) == ["data", "meta"]
    assert body["meta"] == {"page": 1, "per_page": 25, "total": 1}
    [row] = body["data"]["documents"]
    assert list(row) == [
        *("id", "name", "mime_type", "size_bytes", "folder", "tags", "role", "linked_at", "created_at"),
    ]
    assert row == {member: recorded[member] for member in row.keys() & recorded.keys()} | {
        "role": "draft",
        "linked_at": "2026-04-18T10:45:00Z",
    }


async def test_the_last_linked_comes_first_and_a_role_selects(api: Api) -> None:
    ids = [(await api.recorded())["id"] for _ in range(3)]
    for id_, role in zip(ids, ("draft", "final", "draft"), strict=True):
        await link(api, id_, role=role)
    first, second, third = ids
    assert await linked_to(api, "companies/acme/documents") == [third, second, first]
    assert await linked_to(api, "companies/acme/documents?role=draft&per_page=1&page=2") == [first]
    assert await linked_to(api, "companies/acme/documents?role=nobody") == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("page=0", "page"), ("per_page=101", "per_page"), ("role=", "role"), ("role=a&role=b", "role")],
)
async def test_a_wrong_parameter_is_named(api: Api, query: str, parameter: str) -> None:
    answer = await api.http.get(f"/v1/deals/7/documents?{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"]["fields"])) == (400, [parameter])


@pytest.mark.parametrize(
    ("spelled", "entity_id"),
    [("a%20b", "a b"), ("%C3%96", "Ö"), ("a%2541", "a%41"), ("documents", "documents"), ("%3F%23", "?#"), ("+", "+")],
)
async def test_an_entity_id_is_kept_as_it_was_sent(api: Api, spelled: str, entity_id: str) -> None:
    id_ = (await api.recorded())["id"]
    assert (await link(api, id_, entity_id=entity_id)).json()["data"]["entity_id"] == entity_id
    assert await linked_to(api, f"companies/{spelled}/documents") == [id_]


@pytest.mark.parametrize("entity_id", ["", "x" * 65, "a/b", ".", "..", "a\nb", "\x7f", None, 7])
async def test_an_entity_id_that_no_address_has_is_refused(api: Api, entity_id: object) -> None:
    answer = await link(api, (await api.recorded())["id"], entity_id=entity_id)
    assert (answer.status_code, list(answer.json()["error"]["details"]["fields"])) == (400, ["entity_id"])


@pytest.mark.parametrize("spelled", ["x" * 65, "a%0Ab", "%00", "%7F", "%2E%2E", "%2E"])
async def test_a_wrong_entity_id_in_an_address_is_named(api: Api, spelled: str) -> None:
    answer = await api.http.get(f"/v1/tasks/{spelled}/documents")
    assert (answer.status_code, list(answer.json()["error"]["details"]["fields"])) == (400, ["entity_id"])


async def test_every_wrong_member_of_a_link_is_told(api: Api) -> None:
    body = {"entity_type": "Company", "entity_id": "", "role": " " * 65, "x": 1}
    answer = await api.http.post(f"/v1/documents/doc_{ULID}/link", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    assert answer.json()["error"]["details"]["fields"].keys() == body.keys()


async def test_a_link_is_removed_and_the_document_stays(api: Api) -> None:
    id_ = (await api.recorded())["id"]
    made = (await link(api, id_)).json()["data"]["link_id"]
    first, again = [await api.http.delete(f"/v1/documents/{id_}/link/{made}", headers=AGAIN) for _ in range(2)]
    for answer in (first, again):
        assert (answer.status_code, answer.content) == (204, b"")
        assert {"content-type", "content-length"}.isdisjoint(answer.headers)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await linked_to(api, "companies/acme/documents") == []
    assert (await api.http.get(f"/v1/documents/{id_}")).json()["data"]["linked_entities"] == []
    assert (await api.http.delete(f"/v1/documents/{id_}/link/{made}")).status_code == 404
    assert (await link(api, id_)).status_code == 201


async def test_a_link_of_another_document_is_not_found(api: Api) -> None:
    one, other = (await api.recorded())["id"], (await api.recorded())["id"]
    made = (await link(api, one)).json()["data"]["link_id"]
    for path in (f"{other}/link/{made}", f"{one}/link/dlnk_{ULID}", f"{one}/link/nonsense", f"nonsense/link/{made}"):
        answer = await api.http.delete(f"/v1/documents/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert await linked_to(api, "companies/acme/documents") == [one]
    for document in (f"doc_{ULID}", "nonsense"):
        assert (await link(api, document)).status_code == 404


async def test_permissions_come_before_anything_that_is_sent(api: Api) -> None:
    reader, writer = await api.key("read:documents"), await api.key("write:documents")
    bad = {"Idempotency-Key": "no uuid"}
    made = await api.http.post("/v1/documents/x/link", content=b"{", headers=reader | bad)
    removed = await api.http.delete("/v1/documents/x/link/y", headers=reader | bad)
    listed = await api.http.get("/v1/tasks/7/documents?page=0", headers=writer)
    assert [answer.status_code for answer in (made, removed, listed)] == [403] * 3
    made = await api.http.post("/v1/documents/x/link", content=b"{", headers=bad)
    removed = await api.http.delete("/v1/documents/x/link/y", headers=bad)
    for answer in (made, removed):
        assert list(answer.json()["error"]["details"]["fields"]) == ["Idempotency-Key"]


async def test_405_names_what_each_address_of_a_link_takes(api: Api) -> None:
    for path, allowed in (
        (f"/v1/documents/doc_{ULID}/link", "OPTIONS, POST"),
        (f"/v1/documents/doc_{ULID}/link/dlnk_{ULID}", "DELETE, OPTIONS"),
        ("/v1/companies/acme/documents", "GET, OPTIONS"),
    ):
        answer = await api.http.put(path, json={})
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert (await api.http.get("/v1/persons/7/documents")).status_code == 404
