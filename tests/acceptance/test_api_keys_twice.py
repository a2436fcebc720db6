"""API keys made and revoked twice: again with the same Idempotency-Key, and many times at once."""

from functools import partial
from uuid import uuid4

import httpx
import pytest

from .client import UNKNOWN_API_KEY_ID, UNKNOWN_DOCUMENT_ID, Client, data_of, error_of, together
from .keys import KEYS, PERMISSIONS, mint, minted, on_the_wire, revoke, wanted
from .service import eventually
from .tenants import Tenants

ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"


def fresh() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def is_replay(answer: httpx.Response) -> bool:
    return "Idempotent-Replayed" in answer.headers


def how_many(client: Client, name: str) -> int:
    total: int = client.get(f"{KEYS}?search={name}&include_revoked=true").json()["meta"]["total"]
    return total


@pytest.fixture(scope="module")
def other(tenants: Tenants, manager: Client) -> Client:
    """Another key of the manager's workspace, with every permission."""
    return tenants.client(manager.workspace, *PERMISSIONS)


def test_a_replay_shows_the_same_key_again(tenants: Tenants, manager: Client, other: Client) -> None:
    key, body = fresh(), wanted(description="é", expires_at=on_the_wire(3600), rate_limit_tier="unmetered")
    first = manager.post(KEYS, body, key)
    data = data_of(first, 201)
    assert not is_replay(first)
    spellings = (key, {"Idempotency-Key": f'"{key["Idempotency-Key"].upper()}"'})
    for client, spelling in ((manager, spellings[0]), (manager, spellings[1]), (other, spellings[0])):
        again = client.post(KEYS, dict(reversed(body.items())), spelling)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Location" not in again.headers
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert tenants.connect(data["key"]).get(ONE).status_code == 404
    assert how_many(manager, body["name"]) == 1


def test_a_replay_still_works_when_the_key_is_revoked_and_does_not_revive_it(tenants: Tenants, manager: Client) -> None:
    key, body = fresh(), wanted()
    first = manager.post(KEYS, body, key)
    data = data_of(first, 201)
    assert revoke(manager, data["id"]).status_code == 204
    again = manager.post(KEYS, body, key)
    assert (again.status_code, again.content, is_replay(again)) == (201, first.content, True)
    client = tenants.connect(data["key"], admitted=False)
    eventually(lambda: client.get(ONE).status_code == 401, 1.0, "401 for the revoked key")
    minted(manager, name=body["name"])


def test_a_replay_still_works_when_the_time_it_asked_for_has_come(manager: Client) -> None:
    key, body = fresh(), wanted(expires_at=on_the_wire(2))
    first = manager.post(KEYS, body, key)
    data_of(first, 201)
    eventually(lambda: on_the_wire(0) > body["expires_at"], 4, "the expiry")
    again = manager.post(KEYS, body, key)
    assert (again.status_code, again.content) == (201, first.content)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"permissions": ["write:documents"]},
        {"permissions": ["read:documents", "read:documents"]},
        {"description": None},
        {"rate_limit_tier": "standard"},
        {"expires_at": None},
    ],
    ids=str,
)
def test_another_body_is_422_and_makes_no_key(manager: Client, change: dict[str, object]) -> None:
    """Members count as sent, also where they mean the same."""
    key, body = fresh(), wanted()
    first = manager.post(KEYS, body, key)
    data_of(first, 201)
    error_of(manager.post(KEYS, body | change, key), 422, "idempotency_mismatch")
    assert how_many(manager, "another") == 0
    assert manager.post(KEYS, body, key).content == first.content


def test_an_idempotency_key_is_one_over_all_operations(manager: Client) -> None:
    made, recorded, revoked = fresh(), fresh(), fresh()
    path, body = manager.upload(), wanted()
    data = data_of(manager.post(KEYS, body, made), 201)
    data_of(manager.record(path, recorded), 201)
    assert revoke(manager, minted(manager)["id"], revoked).status_code == 204
    for used in (made, recorded, revoked):
        error_of(mint(manager, used), 422, "idempotency_mismatch")
        error_of(manager.record(manager.upload(), used), 422, "idempotency_mismatch")
        error_of(revoke(manager, data["id"], used), 422, "idempotency_mismatch")
    assert is_replay(manager.post(KEYS, body, made))
    assert is_replay(manager.record(path, recorded))


def test_a_refused_request_leaves_the_idempotency_key_free(tenants: Tenants, manager: Client) -> None:
    key, name = fresh(), f"k-{uuid4()}"
    taken = minted(manager, name=name)
    giver = tenants.connect(minted(manager, permissions=["admin:api_keys"], rate_limit_tier="unmetered")["key"])
    reader = tenants.client(manager.workspace, "read:documents")
    error_of(mint(manager, key, name=""), 400, "validation_error")
    error_of(manager.post(KEYS, b"{", key), 400, "validation_error")
    error_of(manager.post(KEYS, b" " * 70_000, key), 413, "payload_too_large")
    error_of(manager.post(KEYS, b"{}", {**key, "Content-Type": "a/b"}), 415, "unsupported_media_type")
    error_of(mint(manager, key, name=name), 409, "duplicate_name")
    error_of(mint(giver, key), 403, "insufficient_permissions")
    error_of(mint(reader, key), 403, "insufficient_permissions")
    error_of(revoke(manager, UNKNOWN_API_KEY_ID, key), 404, "not_found")
    answer = mint(manager, key)
    data_of(answer, 201)
    assert not is_replay(answer)
    assert revoke(manager, taken["id"]).status_code == 204


@pytest.mark.parametrize("value", ["", "x", "0" * 32, "6fa459ea-ee8a-3ca4-894e-db77e160355", '"'])
def test_what_is_no_uuid_is_400_for_both(manager: Client, value: str) -> None:
    wrong, key = {"Idempotency-Key": value}, minted(manager)
    for answer in (
        mint(manager, wrong),
        revoke(manager, key["id"], wrong),
        revoke(manager, key["id"], [("Idempotency-Key", str(uuid4()))] * 2),
        mint(manager, [("Idempotency-Key", str(uuid4()))] * 2),
    ):
        error_of(answer, 400, "validation_error")
        assert "idempotency" in answer.text.lower()
    assert how_many(manager, key["name"]) == 1


def test_a_revocation_is_replayed_with_its_status_and_no_body(manager: Client) -> None:
    key, one, other = fresh(), minted(manager), minted(manager)
    answers = [revoke(manager, one["id"], key) for _ in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    assert [is_replay(answer) for answer in answers] == [False, True, True]
    error_of(revoke(manager, other["id"], key), 422, "idempotency_mismatch")
    assert revoke(manager, other["id"]).status_code == 204


@pytest.mark.parametrize("twins", [2, 20])
def test_twins_at_once_get_one_key_and_equal_answers(manager: Client, twins: int) -> None:
    for _ in range(3):
        key, body = fresh(), wanted()
        answers = together([partial(manager.post, KEYS, body, key)] * twins)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum(not is_replay(answer) for answer in answers) == 1
        assert how_many(manager, body["name"]) == 1


def test_of_different_bodies_with_one_key_at_once_one_is_made(manager: Client) -> None:
    key = fresh()
    answers = together([partial(mint, manager, key) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7


def test_of_twenty_of_one_name_at_once_one_is_made(manager: Client) -> None:
    for _ in range(3):
        name = f"k-{uuid4()}"
        answers = together([partial(mint, manager, name=name)] * 20)
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
        for refused in (answer for answer in answers if answer.status_code == 409):
            error_of(refused, 409, "duplicate_name")
        assert how_many(manager, name) == 1


@pytest.mark.parametrize("whom", ["each other", "themselves"])
def test_of_two_last_admins_who_revoke_at_once_one_stays(tenants: Tenants, whom: str) -> None:
    admin = tenants.client("", "admin:api_keys")
    own = admin.get(KEYS).json()["data"]["api_keys"][0]["id"]
    for _ in range(12):
        made = minted(admin, permissions=["admin:api_keys"], rate_limit_tier="unmetered")
        second = tenants.connect(made["key"], admitted=False)
        targets = (made["id"], own) if whom == "each other" else (own, made["id"])
        assert second.get(KEYS).status_code == 200
        one, two = together([partial(revoke, admin, targets[0]), partial(revoke, second, targets[1])])
        assert [one.status_code, two.status_code].count(204) == 1, (one.text, two.text)
        # Whoever was revoked first may be told so, before it is told that nobody else is left.
        assert {one.status_code, two.status_code} - {204} <= {403, 401}
        gone = targets[0] if one.status_code == 204 else targets[1]
        if gone == own:
            admin, own = second, made["id"]
        left = [row["id"] for row in admin.get(KEYS).json()["data"]["api_keys"]]
        assert left == [own]


def test_of_ten_last_admins_who_revoke_themselves_at_once_one_stays(tenants: Tenants) -> None:
    admin = tenants.client("", "admin:api_keys")
    ids = {admin: admin.get(KEYS).json()["data"]["api_keys"][0]["id"]}
    for _ in range(5):
        while len(ids) < 10:
            made = minted(admin, permissions=["admin:api_keys"], rate_limit_tier="unmetered")
            ids[tenants.connect(made["key"], admitted=False)] = made["id"]
        clients = list(ids)
        answers = together([partial(revoke, client, ids[client]) for client in clients])
        assert sorted(answer.status_code for answer in answers) == [204] * 9 + [403]
        admin = next(client for client, answer in zip(clients, answers, strict=True) if answer.status_code == 403)
        ids = {admin: ids[admin]}
