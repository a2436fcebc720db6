"""API keys and usage over the wire; what their use cases decide is tested without it."""

import pytest

from tests.http.conftest import Api

KEY = {"Idempotency-Key": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}
MADE = [
    *("id", "key", "prefix", "name", "description", "permissions", "rate_limit_tier", "expires_at", "created_at"),
]
LISTED = [*(member for member in MADE if member != "key"), "last_used_at", "revoked_at"]


async def test_a_key_has_the_members_of_the_contract_in_its_order(api: Api) -> None:
    body = {"name": "CI", "permissions": ["write:documents", "read:documents"], "expires_at": "2027-01-01T00:00:00.5Z"}
    answer = await api.http.post("/v1/api-keys", json=body)
    assert answer.status_code == 201
    assert "Location" not in answer.headers
    data = answer.json()["data"]
    assert list(data) == MADE
    assert data["permissions"] == ["read:documents", "write:documents"]
    assert (data["rate_limit_tier"], data["description"]) == ("standard", None)
    assert (data["created_at"], data["expires_at"]) == ("2026-04-17T10:45:00Z", "2027-01-01T00:00:00Z")
    listed = (await api.http.get("/v1/api-keys")).json()
    assert listed["meta"] == {"page": 1, "per_page": 25, "total": 2}
    row = listed["data"]["api_keys"][0]
    assert list(row) == LISTED
    assert row == {member: data[member] for member in data if member != "key"} | {
        "last_used_at": None,
        "revoked_at": None,
    }


async def test_a_replay_is_the_same_bytes(api: Api) -> None:
    body = {"name": "CI", "permissions": ["read:documents"]}
    first, again = [await api.http.post("/v1/api-keys", json=body, headers=KEY) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_revocation_is_204_without_a_body_and_is_replayed(api: Api) -> None:
    made = await api.http.post("/v1/api-keys", json={"name": "CI", "permissions": ["read:documents"]})
    path = f"/v1/api-keys/{made.json()['data']['id']}"
    first, again = [await api.http.delete(path, headers=KEY) for _ in range(2)]
    for answer in (first, again):
        assert (answer.status_code, answer.content) == (204, b"")
        assert {"content-type", "content-length"}.isdisjoint(answer.headers)
        assert "X-RateLimit-Remaining" in answer.headers
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("page=1&page=2", "page"), ("search=%00", "search"), ("per_page=0", "per_page"), ("include_revoked=x", None)],
)
async def test_a_wrong_parameter_is_named(api: Api, query: str, parameter: str | None) -> None:
    answer = await api.http.get(f"/v1/api-keys?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]["fields"]) == [parameter or "include_revoked"]


async def test_parameters_that_nobody_knows_are_ignored(api: Api) -> None:
    assert (await api.http.get("/v1/api-keys?sort=name&sort=id")).status_code == 200


async def test_duplicate_name_is_409_and_the_last_admin_403(api: Api) -> None:
    body = {"name": "CI", "permissions": ["read:documents"]}
    await api.http.post("/v1/api-keys", json=body)
    answer = await api.http.post("/v1/api-keys", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "duplicate_name")
    admin = (await api.http.get("/v1/api-keys")).json()["data"]["api_keys"][-1]
    answer = await api.http.delete(f"/v1/api-keys/{admin['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_permissions")
    assert "last" in answer.json()["error"]["message"]


async def test_usage_has_three_members(api: Api) -> None:
    await api.record()
    answer = await api.http.get("/v1/usage")
    assert answer.json() == {"data": {"used_bytes": 7, "quota_bytes": 10**9, "documents": 1}}
