"""A request that needs more folders than a workspace may have is refused with the member that names the folder."""

from typing import Any

import pytest

from tests.http.conftest import Api


async def test_a_request_for_too_many_folders_is_400_on_its_member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.memory.changes.FOLDERS_MAX", 2)
    first = await api.http.post("/v1/documents", json=await api.uploaded() | {"folder": "/a/b"})
    assert first.status_code == 201
    requests: list[tuple[str, str, dict[str, Any], str]] = [
        ("POST", "/v1/documents", await api.uploaded() | {"folder": "/a/c"}, "folder"),
        ("PATCH", f"/v1/documents/{first.json()['data']['id']}", {"folder": "/c"}, "folder"),
        ("PATCH", "/v1/folders", {"from": "/a/b", "to": "/c/b"}, "to"),
    ]
    for method, path, body, member in requests:
        refused = await api.http.request(method, path, json=body)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (400, "validation_error")
        why = "needs more folders than the 100,000 that a workspace may have; use an existing one, or delete empty ones"
        assert error["details"]["fields"] == {member: why}
    # Where no new folder is needed, nothing is refused.
    body = await api.uploaded() | {"folder": "/a/b"}
    assert (await api.http.post("/v1/documents", json=body)).status_code == 201
