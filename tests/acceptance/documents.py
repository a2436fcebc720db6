"""Functions that send requests about recorded documents and read the responses."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from .client import Client, HeaderList, data_of, error_of

DOCUMENTS, FOLDERS, TAGS, USAGE = "/v1/documents", "/v1/folders", "/v1/tags", "/v1/usage"
COLLECTIONS = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "event": "events",
    "matter": "matters",
    "task": "tasks",
}
"""The path segment that lists the documents of an entity, by entity type."""

NO_UUID = {"Idempotency-Key": "no uuid"}


def new_idempotency_key() -> dict[str, str]:
    """Return the header of a new idempotency key."""
    return {"Idempotency-Key": str(uuid4())}


def is_replay(answer: httpx.Response) -> bool:
    return "Idempotent-Replayed" in answer.headers


def document_path(document_id: str) -> str:
    return f"{DOCUMENTS}/{document_id}"


def record_of(client: Client, document_id: str) -> dict[str, Any]:
    """Return the data of a document, read without a download."""
    return data_of(client.get(f"{document_path(document_id)}?download=false"), 200)


def etag_of(client: Client, document_id: str) -> str:
    answer = client.get(f"{document_path(document_id)}?download=false")
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def listed(client: Client, query: str = "", path: str = DOCUMENTS) -> dict[str, Any]:
    """Return the whole body of a list, which must succeed. `query` is sent as it is."""
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def rows(client: Client, query: str = "", path: str = DOCUMENTS) -> list[dict[str, Any]]:
    """Return the rows of a list."""
    (found,) = listed(client, query, path)["data"].values()
    assert isinstance(found, list)
    return found


def ids(client: Client, query: str = "", path: str = DOCUMENTS) -> list[str]:
    return [row["id"] for row in rows(client, query, path)]


def in_folder(client: Client, folder: str) -> list[str]:
    """Return the ids of the documents in a folder and below it."""
    return ids(client, urlencode({"folder": folder, "per_page": 100}))


def change(client: Client, document_id: str, headers: HeaderList | None = None, **members: Any) -> httpx.Response:
    return client.patch(document_path(document_id), members, headers)


def delete(client: Client, document_id: str, headers: HeaderList | None = None, *, query: str = "") -> httpx.Response:
    return client.delete(document_path(document_id) + query, headers)


def deleted(client: Client, document_id: str, *, query: str = "") -> None:
    """Delete a document, which must succeed."""
    answer = delete(client, document_id, query=query)
    assert answer.status_code == 204, answer.text


def link_entity(client: Client, document_id: str, headers: HeaderList | None = None, **members: Any) -> httpx.Response:
    body = {"entity_type": "matter", "entity_id": "m-1"} | members
    return client.post(f"{document_path(document_id)}/link", body, headers)


def linked_entity(client: Client, document_id: str, **members: Any) -> dict[str, Any]:
    """Make an entity link, which must be new, and return its data."""
    return data_of(link_entity(client, document_id, **members), 201)


def unlink_entity(client: Client, document_id: str, link_id: str, headers: HeaderList | None = None) -> httpx.Response:
    return client.delete(f"{document_path(document_id)}/link/{link_id}", headers)


def usage(client: Client) -> tuple[int, int]:
    """Return the used bytes and the number of documents of the workspace."""
    data = data_of(client.get(USAGE), 200)
    return data["used_bytes"], data["documents"]


def reserved_bytes(client: Client) -> int:
    """Return the bytes that issued uploads reserve, as a refused upload of 5 GiB reports them: the quota is less."""
    body = {"name": "a", "mime_type": "a/b", "size_bytes": 5 * 2**30}
    refused = error_of(client.post("/v1/documents/upload-url", body), 403, "quota_exceeded")
    return int(refused["details"]["used_bytes"]) - usage(client)[0]
