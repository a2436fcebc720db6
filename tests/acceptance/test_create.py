"""POST /v1/documents: the record that is answered, and the states of the store that refuse it."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

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
from .documents import DOCUMENTS, document_path


def test_the_answer_has_the_eleven_members_in_the_order_of_the_contract(home: Client) -> None:
    path = home.upload(b"%PDF-1.7", "Acme-NDA-2026.pdf", "application/pdf")
    # The example of the contract's page.
    body = {
        "name": "Acme-NDA-2026.pdf",
        "mime_type": "application/pdf",
        "storage_path": path,
        "size_bytes": 8,
        "folder": "/clients/acme/ndas",
        "tags": ["nda", "confidentiality"],
    }
    answer = home.post(DOCUMENTS, body)
    data = data_of(answer, 201)
    assert list(json.loads(answer.text)) == ["data"]
    assert list(data) == MEMBERS
    assert {name: data[name] for name in body} == body
    assert data["description"] is None
    assert re.fullmatch(f"doc_{ULID}", data["id"])
    assert re.fullmatch(f"usr_{ULID}", data["created_by"])
    assert abs(timestamp(data["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert data["updated_at"] == data["created_at"]


def test_optional_members_may_be_omitted_or_null(home: Client) -> None:
    for members in ({}, {"size_bytes": None, "description": None, "folder": None, "tags": None}):
        data = home.recorded(**members)
        assert (data["description"], data["folder"], data["tags"], data["size_bytes"]) == (None, None, [], 5)


def test_the_location_leads_to_the_same_record(home: Client, stored: str) -> None:
    answer = home.record(stored, description="d", folder="/a/b", tags=["x", "y"])
    data = data_of(answer, 201)
    location = urljoin(home.base_url + DOCUMENTS, answer.headers["Location"])
    assert location.endswith(document_path(data["id"]))
    read = data_of(home.get(location), 200)
    assert {name: read[name] for name in MEMBERS} == data


def test_an_empty_file_is_a_document_of_size_zero(home: Client) -> None:
    assert home.recorded(home.upload(b""), size_bytes=0)["size_bytes"] == 0


def test_the_recorded_media_type_may_differ_from_the_uploaded_one(home: Client) -> None:
    path = home.upload(b"x", mime_type="text/plain")
    assert home.recorded(path, mime_type="application/pdf")["mime_type"] == "application/pdf"


def test_documents_of_api_keys_without_a_user_belong_to_the_owner_of_the_workspace(
    home: Client, neighbour: Client
) -> None:
    mine, again, theirs = home.recorded(), home.recorded(), neighbour.recorded()
    assert mine["created_by"] == again["created_by"] != theirs["created_by"]


def test_a_path_is_recorded_at_most_once(home: Client, stored: str) -> None:
    first = home.recorded(stored)
    error = error_of(home.record(stored, name="another.txt"), 409, "storage_conflict")
    assert error["details"] == {"document_id": first["id"]}
    assert data_of(home.get(document_path(first["id"])), 200)["name"] == "a.txt"


def test_of_many_creates_of_one_path_at_once_exactly_one_is_recorded(home: Client, stored: str) -> None:
    answers = together([lambda: home.record(stored)] * 12)
    winners = [answer.json()["data"]["id"] for answer in answers if answer.status_code == 201]
    assert len(winners) == 1
    losers = [error_of(answer, 409, "storage_conflict") for answer in answers if answer.status_code != 201]
    assert {error["details"]["document_id"] for error in losers} == set(winners)


def test_an_object_that_was_never_uploaded_cannot_be_recorded(home: Client) -> None:
    assert wrong_fields(home.record(home.sign_upload().storage_path)) == {"storage_path"}


def test_a_size_other_than_the_stored_one_is_refused_and_leaves_the_path_free(home: Client, stored: str) -> None:
    for size in (4, 6, 0, 1005, 2**63 - 1):
        assert wrong_fields(home.record(stored, size_bytes=size)) == {"size_bytes"}
    home.recorded(stored, size_bytes=5)


def test_a_path_of_another_workspace_is_the_same_400_as_nonsense(home: Client, neighbour: Client) -> None:
    path = neighbour.upload()
    before = home.record(path)
    neighbour.recorded(path)
    after = home.record(path)
    unknown = home.record(path.replace(neighbour.workspace, "ws_01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    refusals = [without_request_id(answer) for answer in (before, after, unknown, home.record("nonsense"))]
    assert wrong_fields(before) == {"storage_path"}
    assert all(refusal == refusals[0] for refusal in refusals)
    assert neighbour.workspace not in after.text


def test_every_wrong_missing_and_unknown_member_is_named_at_once(home: Client, stored: str) -> None:
    wrong = {
        "name": "",
        "mime_type": "pdf",
        "storage_path": "nonsense",
        "size_bytes": -1,
        "description": 5,
        "folder": "relative",
        "tags": [""],
        "colour": "red",
    }
    assert wrong_fields(home.post(DOCUMENTS, wrong)) == set(wrong)
    assert wrong_fields(home.post(DOCUMENTS, {})) == {"name", "mime_type", "storage_path"}
    assert wrong_fields(home.record(stored, name=OMIT, id="doc_1")) == {"name", "id"}
    home.recorded(stored)
