"""POST /v1/documents: the record in the response, and the refusals if the object is missing or different."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

from .client import MEMBERS, ULID, Client, data_of, error_of, timestamp
from .documents import DOCUMENTS, document_path


def test_the_response_to_a_create_is_the_record_at_its_location(home: Client) -> None:
    path = home.upload(b"%PDF-1.7", "Acme-NDA-2026.pdf", "application/pdf")
    # This is the example of the API's documentation.
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
    location = urljoin(home.base_url + DOCUMENTS, answer.headers["Location"])
    assert location.endswith(document_path(data["id"]))
    read = data_of(home.get(location), 200)
    assert {name: read[name] for name in MEMBERS} == data


def test_recording_a_path_again_is_a_conflict_that_names_its_document(home: Client, stored: str) -> None:
    first = home.recorded(stored)
    error = error_of(home.record(stored, name="another.txt"), 409, "storage_conflict")
    assert error["details"] == {"document_id": first["id"]}
    assert data_of(home.get(document_path(first["id"])), 200)["name"] == "a.txt"
