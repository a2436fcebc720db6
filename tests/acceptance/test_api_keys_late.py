"""Requests about API keys that come late, from somebody else, or beside their like."""

from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import httpx
import pytest

from .client import Client, data_of, error_of, timestamp, together
from .keys import KEYS, PERMISSIONS, mint, minted, on_the_wire, revoke, wanted
from .service import eventually
from .tenants import Tenants


def fresh() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def is_replay(answer: httpx.Response) -> bool:
    return "Idempotent-Replayed" in answer.headers


def test_an_expired_key_is_revoked_as_any_other(manager: Client) -> None:
    key = minted(manager, expires_at=on_the_wire(2))
    eventually(lambda: datetime.now(UTC) > timestamp(key["expires_at"]), 4, "the expiry")
    for _ in range(2):
        assert revoke(manager, key["id"]).status_code == 204
    (row,) = manager.get(f"{KEYS}?include_revoked=true&search={key['name']}").json()["data"]["api_keys"]
    assert row["revoked_at"] is not None


def test_a_replay_is_the_first_answer_though_the_name_is_anothers_now(manager: Client) -> None:
    headers, body = fresh(), wanted()
    first = manager.post(KEYS, body, headers)
    assert revoke(manager, data_of(first, 201)["id"]).status_code == 204
    minted(manager, name=body["name"])
    again = manager.post(KEYS, body, headers)
    assert (again.status_code, again.content, is_replay(again)) == (201, first.content, True)


def test_a_replay_shows_no_key_to_one_who_could_not_have_made_it(tenants: Tenants, manager: Client) -> None:
    headers, body = fresh(), wanted(permissions=list(PERMISSIONS))
    first = manager.post(KEYS, body, headers)
    key = data_of(first, 201)["key"]
    for permissions in (["admin:api_keys"], ["read:documents"]):
        lesser = minted(manager, permissions=permissions, rate_limit_tier="unmetered")
        answer = tenants.connect(lesser["key"]).post(KEYS, body, headers)
        error_of(answer, 403, "insufficient_permissions")
        assert key[4:] not in answer.text
    assert manager.post(KEYS, body, headers).content == first.content


def test_an_idempotency_key_belongs_to_its_workspace(tenants: Tenants, manager: Client) -> None:
    headers, body = fresh(), wanted()
    ours = manager.post(KEYS, body, headers)
    theirs = tenants.client("", *PERMISSIONS).post(KEYS, body, headers)
    assert not is_replay(theirs)
    assert data_of(theirs, 201)["key"] != data_of(ours, 201)["key"]
    assert manager.post(KEYS, body, headers).content == ours.content


def test_a_refused_last_admin_leaves_the_idempotency_key_free(tenants: Tenants) -> None:
    admin, headers = tenants.client("", *PERMISSIONS), fresh()
    (own,) = data_of(admin.get(KEYS), 200)["api_keys"]
    error_of(revoke(admin, own["id"], headers), 403, "insufficient_permissions")
    answer = mint(admin, headers)
    data_of(answer, 201)
    assert not is_replay(answer)


def test_of_a_key_and_a_document_at_once_with_one_idempotency_key_one_is_made(manager: Client) -> None:
    for _ in range(6):
        headers, path, body = fresh(), manager.upload(), wanted()
        jobs = (partial(manager.post, KEYS, body, headers), partial(manager.record, path, headers))
        answers = together(jobs)
        assert sorted(answer.status_code for answer in answers) == [201, 422]
        made = manager.get(f"{KEYS}?search={body['name']}").json()["meta"]["total"]
        assert made == [answer.status_code for answer in answers].index(422)
        assert [job().status_code for job in jobs] == [answer.status_code for answer in answers]


@pytest.mark.parametrize("headers", [{}, fresh()], ids=["without a key", "with one Idempotency-Key"])
def test_of_twenty_revocations_at_once_each_is_as_good_as_the_first(manager: Client, headers: dict[str, str]) -> None:
    key_id = minted(manager)["id"]
    answers = together([partial(revoke, manager, key_id, headers)] * 20)
    assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
    assert [is_replay(answer) for answer in answers].count(True) == (19 if headers else 0)


def test_of_thirty_different_keys_at_once_each_is_made(manager: Client) -> None:
    made = [data_of(answer, 201) for answer in together([partial(mint, manager) for _ in range(30)])]
    for member in ("id", "key"):
        assert len({key[member] for key in made}) == 30
    listed = manager.get(f"{KEYS}?per_page=100").json()["data"]["api_keys"]
    assert {key["id"] for key in made} <= {row["id"] for row in listed}
