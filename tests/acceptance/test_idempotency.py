"""Idempotency-Key: the same request twice is one document and one answer."""

import json
from functools import partial
from uuid import uuid4

import httpx
import pytest

from .client import OMIT, Client, data_of, error_of, together
from .tenants import Tenants


def fresh() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def is_first(answer: httpx.Response) -> bool:
    return "Idempotent-Replayed" not in answer.headers


def test_a_replay_is_the_same_answer_with_its_own_request_id(home: Client, stored: str) -> None:
    key = fresh()
    first = home.record(stored, key, tags=["a"], folder="/f")
    again = home.record(stored, key, tags=["a"], folder="/f")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert is_first(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]


def test_quotes_and_letter_case_do_not_make_another_key(home: Client, stored: str) -> None:
    key = "0a1b2c3d-ABCD-4eef-8abc-" + uuid4().hex[:12]
    first = home.record(stored, {"Idempotency-Key": key})
    data_of(first, 201)
    for spelling in (f'"{key}"', key.upper(), f'"{key.upper()}"', key.lower()):
        again = home.record(stored, {"Idempotency-Key": spelling})
        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_members_written_differently_are_the_same_request(home: Client, stored: str) -> None:
    key = fresh()
    body = home.document(stored, name="Caf\u00e9")
    first = home.post("/v1/documents", json.dumps(body).encode(), key)
    data_of(first, 201)
    for other in (
        json.dumps(body, indent=3),
        json.dumps(dict(reversed(body.items()))),
        json.dumps(body, ensure_ascii=False),
    ):
        assert home.post("/v1/documents", other.encode(), key).content == first.content


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b.txt"},
        {"name": " a.txt"},
        {"mime_type": "text/html"},
        {"tags": []},
        {"tags": None},
        {"folder": "/"},
        {"description": "d"},
        {"size_bytes": 5},
    ],
)
def test_the_key_of_another_body_is_422_and_the_first_stays(
    home: Client, stored: str, change: dict[str, object]
) -> None:
    """Members count as sent: `null`, `[]` and `/` mean the same as nothing, but make another request."""
    key = fresh()
    first = home.record(stored, key)
    data_of(first, 201)
    error_of(home.record(stored, key, **change), 422, "idempotency_mismatch")
    assert home.record(stored, key).content == first.content


def test_the_key_of_another_path_is_422_and_that_path_stays_free(home: Client, stored: str) -> None:
    key, other = fresh(), home.upload()
    home.record(stored, key)
    error_of(home.record(other, key), 422, "idempotency_mismatch")
    home.recorded(other)


def test_without_a_key_the_second_call_is_a_conflict(home: Client, stored: str) -> None:
    home.recorded(stored)
    error_of(home.record(stored), 409, "storage_conflict")


def test_another_key_for_a_recorded_path_is_a_conflict_and_stays_free(home: Client, stored: str) -> None:
    key = fresh()
    home.recorded(stored)
    error_of(home.record(stored, key), 409, "storage_conflict")
    succeeds_now(home, key)


@pytest.mark.parametrize(
    "key",
    [
        *("", '""', '"', "1", "abc", "null", "undefined", "*", "0" * 32, "a" * 36, "x" * 5000),
        *("6fa459ea-ee8a-3ca4-894e-db77e160355", "6fa459ea-ee8a-3ca4-894e-db77e160355ee"),
        *("6fa459ea-ee8a-3ca4-894e-db77e160355g", "6fa459eaee8a3ca4894edb77e160355e"),
        "6fa459ea_ee8a_3ca4_894e_db77e160355e",
        *("{6fa459ea-ee8a-3ca4-894e-db77e160355e}", "urn:uuid:6fa459ea-ee8a-3ca4-894e-db77e160355e"),
        *('"6fa459ea-ee8a-3ca4-894e-db77e160355e', '6fa459ea-ee8a-3ca4-894e-db77e160355e"'),
        "'6fa459ea-ee8a-3ca4-894e-db77e160355e'",
        *('""6fa459ea-ee8a-3ca4-894e-db77e160355e""', '"6fa459ea-ee8a-3ca4-894e-db77e160355e";x=1'),
        *("6fa459ea-ee8a-3ca4-894e-db77e160355e,", "6fa459ea-ee8a-3ca4-894e-db77e160355e x"),
        "6-f-a-4-59eaee8a3ca4894edb77e160355e",
    ],
)
def test_a_key_that_is_no_uuid_is_400_and_nothing_is_recorded(home: Client, stored: str, key: str) -> None:
    answer = home.record(stored, {"Idempotency-Key": key})
    error_of(answer, 400, "validation_error")
    assert "idempotency" in answer.text.lower()
    home.recorded(stored)


@pytest.mark.parametrize("same", [True, False])
def test_two_keys_are_400_even_if_they_are_equal(home: Client, stored: str, same: bool) -> None:
    one = str(uuid4())
    other = one if same else str(uuid4())
    answer = home.record(stored, [("Idempotency-Key", one), ("Idempotency-Key", other)])
    error_of(answer, 400, "validation_error")
    home.recorded(stored)


def succeeds_now(client: Client, key: dict[str, str]) -> None:
    answer = client.record(client.upload(), key)
    data_of(answer, 201)
    assert is_first(answer)


def test_a_refused_body_leaves_the_key_free(home: Client, stored: str) -> None:
    key = fresh()
    assert home.record(stored, key, name="").status_code == 400
    assert home.record(stored, key, size_bytes=4).status_code == 400
    assert home.record(home.sign_upload().storage_path, key).status_code == 400
    assert home.record("nonsense", key).status_code == 400
    assert home.record(OMIT, key).status_code == 400
    succeeds_now(home, key)


def test_a_body_that_cannot_be_read_leaves_the_key_free(home: Client) -> None:
    key = fresh()
    assert home.post("/v1/documents", b"{", key).status_code == 400
    assert home.post("/v1/documents", b" " * 70_000, key).status_code == 413
    assert home.post("/v1/documents", b"{}", {**key, "Content-Type": "text/plain"}).status_code == 415
    succeeds_now(home, key)


def test_a_missing_permission_leaves_the_key_free(home: Client, reader: Client, stored: str) -> None:
    key = fresh()
    assert reader.record(stored, key).status_code == 403
    succeeds_now(home, key)


def test_a_missing_object_can_be_uploaded_and_then_recorded_with_the_same_request(home: Client) -> None:
    key, signed = fresh(), home.sign_upload()
    assert home.record(signed.storage_path, key).status_code == 400
    home.put(signed, b"hello")
    answer = home.record(signed.storage_path, key)
    data_of(answer, 201)
    assert is_first(answer)


def test_a_key_belongs_to_its_workspace(home: Client, neighbour: Client, stored: str) -> None:
    key = fresh()
    data_of(home.record(stored, key), 201)
    succeeds_now(neighbour, key)


def test_a_key_is_shared_by_all_keys_of_a_workspace(tenants: Tenants, home: Client, stored: str) -> None:
    key = fresh()
    first = home.record(stored, key)
    again = tenants.client(home.workspace).record(stored, key)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("twins", [2, 10, 30])
def test_twins_at_once_get_one_document_and_equal_answers(home: Client, stored: str, twins: int) -> None:
    key = fresh()
    answers = together([lambda: home.record(stored, key)] * twins)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum(is_first(answer) for answer in answers) == 1
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == twins


def test_of_different_bodies_with_one_key_at_the_same_time_one_is_recorded_and_the_others_are_422(
    home: Client,
) -> None:
    key, paths = fresh(), [home.upload() for _ in range(8)]
    answers = together([partial(home.record, path, key) for path in paths])
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
    free = [path for path, answer in zip(paths, answers, strict=True) if answer.status_code == 422]
    for path in free:
        home.recorded(path)
