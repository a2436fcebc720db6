"""POST and DELETE of /v1/documents/{id}/link: the entities that a document belongs to."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from .client import (
    OMIT,
    ULID,
    UNKNOWN_DOCUMENT_ID,
    Client,
    data_of,
    error_of,
    timestamp,
    together,
    wrong_fields,
)
from .documents import (
    COLLECTIONS,
    NO_UUID,
    delete,
    deleted,
    document_path,
    etag_of,
    is_replay,
    link_entity,
    linked_entity,
    new_idempotency_key,
    record_of,
    unlink_entity,
)

MEMBERS = ["link_id", "document_id", "entity_type", "entity_id", "role", "created_at"]


@pytest.fixture
def document_id(home: Client, stored: str) -> str:
    made: str = home.recorded(stored)["id"]
    return made


def entities(client: Client, document_id: str) -> list[tuple[str, str]]:
    """Return the `linked_entities` of a document."""
    found = record_of(client, document_id)["linked_entities"]
    assert all(list(entity) == ["entity_type", "entity_id"] for entity in found)
    return [(entity["entity_type"], entity["entity_id"]) for entity in found]


@pytest.mark.parametrize("entity_type", COLLECTIONS)
def test_an_entity_link_has_its_six_members_in_their_order(home: Client, document_id: str, entity_type: str) -> None:
    answer = link_entity(home, document_id, entity_type=entity_type, entity_id="x-1", role="evidence")
    data = data_of(answer, 201)
    assert list(data) == MEMBERS
    assert re.fullmatch(f"dlnk_{ULID}", data["link_id"])
    assert [data[name] for name in MEMBERS[1:5]] == [document_id, entity_type, "x-1", "evidence"]
    assert abs(timestamp(data["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert "Location" not in answer.headers


def test_the_document_names_its_entities_oldest_link_first(home: Client, document_id: str) -> None:
    assert entities(home, document_id) == []
    wanted = [("task", "2"), ("matter", "2"), ("matter", "1"), ("contact", "2")]
    for entity_type, entity_id in wanted:
        linked_entity(home, document_id, entity_type=entity_type, entity_id=entity_id)
    assert entities(home, document_id) == wanted
    assert len(data_of(home.get(document_path(document_id)), 200)["linked_entities"]) == 4


def test_an_existing_entity_link_is_answered_unchanged_with_200(home: Client, document_id: str) -> None:
    first = linked_entity(home, document_id, role="draft")
    again: list[dict[str, Any]] = [{"role": "draft"}, {"role": "final"}, {"role": None}, {}]
    for members in again:
        assert data_of(link_entity(home, document_id, **members), 200) == first
    assert entities(home, document_id) == [("matter", "m-1")]
    assert linked_entity(home, document_id, entity_id="m-2", role="draft")["link_id"] != first["link_id"]
    assert linked_entity(home, document_id, entity_type="deal")["link_id"] != first["link_id"]


def test_an_entity_link_changes_neither_etag_nor_time_of_the_document(home: Client, document_id: str) -> None:
    before, etag = record_of(home, document_id), etag_of(home, document_id)
    link_id = linked_entity(home, document_id)["link_id"]
    assert record_of(home, document_id) == before | {"linked_entities": [{"entity_type": "matter", "entity_id": "m-1"}]}
    assert etag_of(home, document_id) == etag
    assert unlink_entity(home, document_id, link_id).status_code == 204
    assert record_of(home, document_id) == before
    assert etag_of(home, document_id) == etag


def test_a_removed_entity_link_can_be_made_anew(home: Client, document_id: str) -> None:
    first, other = linked_entity(home, document_id, role="draft"), linked_entity(home, document_id, entity_id="m-2")
    answer = unlink_entity(home, document_id, first["link_id"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"Content-Type", "Content-Length"} & set(answer.headers)
    assert entities(home, document_id) == [("matter", "m-2")]
    error_of(unlink_entity(home, document_id, first["link_id"]), 404, "not_found")
    again = linked_entity(home, document_id, role="final")
    assert again["link_id"] not in {first["link_id"], other["link_id"]}
    assert again["role"] == "final"
    assert entities(home, document_id) == [("matter", "m-2"), ("matter", "m-1")]


def test_an_entity_id_is_kept_as_it_is_and_a_role_in_normal_form(home: Client, document_id: str) -> None:
    for entity_id in ("x" * 64, "\U0001f4c4" * 64, " a ", "e\u0301", "%2F", "a?b#c", "...", "\\", '"'):
        assert linked_entity(home, document_id, entity_id=entity_id)["entity_id"] == entity_id
        assert entities(home, document_id)[-1] == ("matter", entity_id)
    for number, (role, kept) in enumerate([("x" * 64, "x" * 64), ("e\u0301", "\u00e9"), (None, None)]):
        assert linked_entity(home, document_id, entity_id=f"role-{number}", role=role)["role"] == kept


WRONG: dict[str, list[Any]] = {
    "entity_type": [OMIT, None, "", "Matter", "matters", 5, [], {}, True],
    "entity_id": [OMIT, None, "", "x" * 65, "a/b", ".", "..", "a\nb", "\x7f", "\x1b[31m", 5, [], {}, True],
    "role": ["", "x" * 65, "a\nb", 5, [], {}, False],
    **{member: [None, "x"] for member in ("link_id", "document_id", "created_at", "Role", "")},
}


@pytest.mark.parametrize(("member", "values"), WRONG.items(), ids=WRONG)
def test_a_wrong_or_unknown_member_is_named_and_nothing_is_linked(
    home: Client, document_id: str, member: str, values: list[Any]
) -> None:
    for value in values:
        body = {"entity_type": "matter", "entity_id": "m-1", member: value}
        sent = {name: given for name, given in body.items() if given is not OMIT}
        assert wrong_fields(home.post(f"{document_path(document_id)}/link", sent)) == {member}, repr(value)
    assert entities(home, document_id) == []


def test_every_wrong_member_is_named_at_once(home: Client, document_id: str) -> None:
    answer = link_entity(home, document_id, entity_type="x", entity_id="", role="", unknown=1)
    assert wrong_fields(answer) == {"entity_type", "entity_id", "role", "unknown"}


def test_a_replay_of_an_existing_entity_link_is_200_again(home: Client, document_id: str) -> None:
    key, entity_link = new_idempotency_key(), linked_entity(home, document_id)
    answers = [link_entity(home, document_id, key) for _ in range(2)]
    assert [data_of(answer, 200) for answer in answers] == [entity_link, entity_link]
    assert [is_replay(answer) for answer in answers] == [False, True]


def test_permission_comes_before_the_idempotency_key_the_key_before_the_body_and_the_body_before_the_id(
    home: Client, reader: Client
) -> None:
    for document_id in (UNKNOWN_DOCUMENT_ID, "x"):
        for refused in (
            link_entity(reader, document_id, NO_UUID, role=""),
            unlink_entity(reader, document_id, "x", NO_UUID),
        ):
            assert "write:documents" in error_of(refused, 403, "insufficient_permissions")["message"]
        for refused in (
            link_entity(home, document_id, NO_UUID, role=""),
            unlink_entity(home, document_id, "x", NO_UUID),
        ):
            assert wrong_fields(refused) == {"Idempotency-Key"}
        assert wrong_fields(link_entity(home, document_id, role="")) == {"role"}
        error_of(link_entity(home, document_id), 404, "not_found")


def test_many_equal_entity_links_at_once_make_one(home: Client, document_id: str) -> None:
    answers = together([partial(link_entity, home, document_id, role=f"r{number}") for number in range(10)])
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert entities(home, document_id) == [("matter", "m-1")]


def test_of_many_removals_at_once_exactly_one_removes(home: Client, document_id: str) -> None:
    link_id = linked_entity(home, document_id)["link_id"]
    answers = together([partial(unlink_entity, home, document_id, link_id)] * 8)
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 7
    assert entities(home, document_id) == []


def test_no_entity_link_survives_its_document(home: Client, document_id: str) -> None:
    for number in range(3):
        racing = home.recorded()["id"]
        answers = together(
            [partial(link_entity, home, racing, entity_id=f"race-{number}"), partial(delete, home, racing)]
        )
        assert answers[0].status_code in {201, 404}
        assert answers[1].status_code == 204
        assert home.get(f"/v1/matters/race-{number}/documents").json()["meta"]["total"] == 0
    deleted(home, document_id)
    error_of(link_entity(home, document_id), 404, "not_found")
