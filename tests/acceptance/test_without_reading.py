"""Writes with an API key that has write:documents alone, end to end: their responses show no more than was sent.

The rules are proven by tests/domain/test_without_reading.py.
"""

from typing import Any
from uuid import uuid4

import pytest

from .client import Client, data_of
from .documents import FOLDERS, change, delete, etag_of, link_entity, linked_entity, record_of
from .tenants import Tenants


@pytest.fixture(scope="module")
def writer(tenants: Tenants, home: Client) -> Client:
    return tenants.client(home.workspace, "write:documents")


def test_a_patch_shows_a_write_only_caller_what_it_sent_and_the_etag(home: Client, writer: Client) -> None:
    hidden: dict[str, Any] = {"description": "hidden", "tags": ["hidden"], "folder": "/hidden"}
    document_id = home.recorded(**hidden)["id"]
    answer = change(writer, document_id)
    assert data_of(answer, 200) == {"id": document_id}
    assert answer.headers["ETag"] == etag_of(home, document_id)

    answer = change(writer, document_id, {"If-Match": answer.headers["ETag"]}, name="e\u0301", tags=None)
    assert data_of(answer, 200) == {"id": document_id, "name": "\xe9", "tags": []}
    assert answer.headers["ETag"] == etag_of(home, document_id)
    assert record_of(home, document_id)["description"] == "hidden"
    assert delete(writer, document_id, {"If-Match": answer.headers["ETag"]}).status_code == 204


def test_an_old_link_and_a_moved_folder_show_a_write_only_caller_what_it_sent(home: Client, writer: Client) -> None:
    top = f"/{uuid4()}"
    document_id = home.recorded(folder=f"{top}/a")["id"]
    link = linked_entity(home, document_id, role="hidden")
    sent = {name: link[name] for name in ("entity_type", "entity_id")}
    assert data_of(link_entity(writer, document_id, **sent), 200) == {
        "link_id": link["link_id"],
        "document_id": document_id,
        **sent,
    }
    moved = writer.patch(FOLDERS, {"from": f"{top}/a", "to": f"{top}/b"})
    assert data_of(moved, 200) == {"folder": f"{top}/b"}
