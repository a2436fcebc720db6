"""POST /v1/documents: the record, and what stands in its way."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import pytest

from .client import (
    MEMBERS,
    OMIT,
    ULID,
    Client,
    data_of,
    error_of,
    timestamp,
    together,
    without_request_id,
    wrong_fields,
)


def test_the_record_has_exactly_the_eleven_members_in_the_pages_order(home: Client, stored: str) -> None:
    answer = home.record(stored, description="d", folder="/a", tags=["t"], size_bytes=5)
    assert answer.status_code == 201
    pairs = json.loads(answer.text, object_pairs_hook=list)
    assert [name for name, _ in pairs] == ["data"]
    assert [name for name, _ in pairs[0][1]] == MEMBERS
    places = [answer.text.index(f'"{name}":') for name in MEMBERS]
    assert places == sorted(places)


def test_the_example_of_the_page_is_accepted(home: Client) -> None:
    path = home.upload(b"%PDF-1.7", "Acme-NDA-2026.pdf", "application/pdf")
    body = {
        "name": "Acme-NDA-2026.pdf",
        "mime_type": "application/pdf",
        "storage_path": path,
        "size_bytes": 8,
        "folder": "/clients/acme/ndas",
        "tags": ["nda", "confidentiality"],
    }
    data = data_of(home.post("/v1/documents", body), 201)
    assert {name: data[name] for name in body} == body
    assert data["description"] is None


def test_ids_are_prefixed_ulids(home: Client) -> None:
    data = home.recorded()
    assert re.fullmatch(f"doc_{ULID}", data["id"])
    assert re.fullmatch(f"usr_{ULID}", data["created_by"])


def test_times_are_utc_in_whole_seconds_and_now(home: Client) -> None:
    data = home.recorded()
    assert abs(timestamp(data["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert data["updated_at"] == data["created_at"]


def test_what_is_left_out_is_null_and_tags_are_an_empty_list(home: Client, stored: str) -> None:
    data = home.recorded(stored)
    assert (data["description"], data["folder"], data["tags"]) == (None, None, [])
    assert data["size_bytes"] == 5


def test_null_is_as_good_as_absent_for_every_optional_member(home: Client, stored: str) -> None:
    data = home.recorded(stored, size_bytes=None, description=None, folder=None, tags=None)
    assert (data["description"], data["folder"], data["tags"]) == (None, None, [])
    assert data["size_bytes"] == 5


def test_the_location_leads_to_the_document(home: Client, stored: str) -> None:
    answer = home.record(stored)
    data = data_of(answer, 201)
    location = urljoin(f"{home.base_url}/v1/documents", answer.headers["Location"])
    assert location.endswith(f"/v1/documents/{data['id']}")
    assert data_of(home.get(location), 200)["id"] == data["id"]


def test_the_record_reads_back_as_it_was_answered(home: Client, stored: str) -> None:
    made = home.recorded(stored, description="d", folder="/a/b", tags=["x", "y"])
    read = data_of(home.get(f"/v1/documents/{made['id']}"), 200)
    assert {name: read[name] for name in MEMBERS} == made


def test_an_empty_file_is_a_document_of_size_zero(home: Client) -> None:
    assert home.recorded(home.upload(b""), size_bytes=0)["size_bytes"] == 0


def test_the_media_type_need_not_be_the_one_it_was_stored_under(home: Client) -> None:
    path = home.upload(b"x", mime_type="text/plain")
    assert home.recorded(path, mime_type="application/pdf")["mime_type"] == "application/pdf"


def test_keys_of_one_workspace_without_a_user_share_its_owner(home: Client, neighbour: Client) -> None:
    mine, again, theirs = home.recorded(), home.recorded(), neighbour.recorded()
    assert mine["created_by"] == again["created_by"] != theirs["created_by"]


def test_a_path_is_recorded_at_most_once(home: Client, stored: str) -> None:
    first = home.recorded(stored)
    error = error_of(home.record(stored, name="another.txt"), 409, "storage_conflict")
    assert error["details"] == {"document_id": first["id"]}
    assert data_of(home.get(f"/v1/documents/{first['id']}"), 200)["name"] == "a.txt"


def test_of_many_at_once_for_one_path_exactly_one_is_recorded(home: Client, stored: str) -> None:
    answers = together([lambda: home.record(stored)] * 12)
    winners = [answer.json()["data"]["id"] for answer in answers if answer.status_code == 201]
    assert len(winners) == 1
    losers = [error_of(answer, 409, "storage_conflict") for answer in answers if answer.status_code != 201]
    assert {error["details"]["document_id"] for error in losers} == set(winners)


def test_bytes_never_uploaded_cannot_be_recorded(home: Client) -> None:
    assert wrong_fields(home.record(home.sign_upload().storage_path)) == {"storage_path"}


@pytest.mark.parametrize("off", [-1, 1, 1000])
def test_another_size_than_the_stored_one_is_refused_and_nothing_is_recorded(
    home: Client, stored: str, off: int
) -> None:
    assert wrong_fields(home.record(stored, size_bytes=5 + off)) == {"size_bytes"}
    home.recorded(stored, size_bytes=5)


def test_a_neighbours_stored_object_cannot_be_recorded(home: Client, neighbour: Client) -> None:
    path = neighbour.upload()
    assert wrong_fields(home.record(path)) == {"storage_path"}
    neighbour.recorded(path)


def test_a_neighbours_recorded_path_is_no_conflict_but_the_same_400_as_nonsense(
    home: Client, neighbour: Client
) -> None:
    path = neighbour.upload()
    before = home.record(path)
    neighbour.recorded(path)
    after = home.record(path)
    nobody = home.record(path.replace(neighbour.workspace, "ws_01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    nonsense = home.record("nonsense")
    refusals = [without_request_id(answer) for answer in (before, after, nobody, nonsense)]
    assert wrong_fields(before) == {"storage_path"}
    assert all(refusal == refusals[0] for refusal in refusals)
    assert neighbour.workspace not in after.text


def test_every_wrong_field_is_reported_at_once(home: Client) -> None:
    wrong = {
        "name": "",
        "mime_type": "pdf",
        "storage_path": "nonsense",
        "size_bytes": -1,
        "description": 5,
        "folder": "relative",
        "tags": [""],
    }
    assert wrong_fields(home.post("/v1/documents", wrong)) == set(wrong)


def test_every_missing_member_is_reported_at_once(home: Client) -> None:
    assert wrong_fields(home.post("/v1/documents", {})) == {"name", "mime_type", "storage_path"}


def test_an_unknown_member_is_reported_beside_the_wrong_ones(home: Client, stored: str) -> None:
    assert wrong_fields(home.record(stored, name=OMIT, colour="red")) == {"name", "colour"}
    assert wrong_fields(home.record(stored, id="doc_1")) == {"id"}
    home.recorded(stored)
