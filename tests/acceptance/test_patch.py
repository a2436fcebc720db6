"""PATCH /v1/documents/{id}, end to end.

The rules of members are in tests/domain, those of a change and its races in tests/contracts.
"""

from typing import Any

from .client import MEMBERS, Client, data_of, timestamp
from .documents import change, document_path, etag_of, ids, in_folder, linked_entity, record_of, usage


def test_the_members_that_are_sent_change_and_every_read_shows_them(home: Client) -> None:
    document_id = home.recorded(folder="/patch/a", tags=["a", "b"], description="d")["id"]
    linked_entity(home, document_id)
    newer, used = home.recorded(folder="/patch/place")["id"], usage(home)
    before, etag = record_of(home, document_id), etag_of(home, document_id)
    sent: dict[str, Any] = {"name": "Wombat.txt", "folder": "/patch/place/below", "tags": ["moved"]}
    answer = change(home, document_id, **sent)
    data = data_of(answer, 200)
    assert data == before | sent | {"updated_at": data["updated_at"]}
    assert timestamp(data["updated_at"]) >= timestamp(before["updated_at"])
    assert list(data) == [*MEMBERS[:8], "linked_entities", *MEMBERS[8:], "sha256"]
    read = home.get(f"{document_path(document_id)}?download=false")
    assert (answer.content, answer.headers["ETag"]) == (read.content, read.headers["ETag"])
    assert answer.headers["ETag"] != etag
    # The document keeps its place in lists, which are ordered by creation.
    assert in_folder(home, "/patch/place") == [newer, document_id]
    assert document_id not in in_folder(home, "/patch/a")
    assert ids(home, "tag=moved&search=wombat") == [document_id]
    download = home.storage("GET", home.download_url(document_id))
    assert download.content == b"hello"
    assert "Wombat.txt" in download.headers["Content-Disposition"]
    assert usage(home) == used
