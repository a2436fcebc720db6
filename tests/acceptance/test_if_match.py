"""If-Match on PATCH and DELETE: no change is lost under another one (RFC 9110 13.1.1)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, HeaderList, data_of, error_of, together, wrong_fields
from .documents import change, delete, etag_of, is_replay, new_idempotency_key, record_of, revision_of

Verb = Callable[[Client, str, HeaderList], httpx.Response]


def rename(client: Client, document_id: str, headers: HeaderList) -> httpx.Response:
    return change(client, document_id, headers, name="b.txt")


both = pytest.mark.parametrize("verb", [rename, delete])


def twice_changed(client: Client) -> str:
    """Return the id of a new document in its third state."""
    document_id: str = client.recorded()["id"]
    for name in ("second.txt", "third.txt"):
        data_of(change(client, document_id, name=name), 200)
    assert etag_of(client, document_id) == '"3"'
    return document_id


@both
def test_a_list_that_names_the_current_state_lets_the_request_through(home: Client, verb: Verb) -> None:
    for value in ('"3"', "*", '"2", "3"', '"x" ,\t"3"', 'W/"2", "3"', '"4", "3", W/"x"'):
        assert verb(home, twice_changed(home), {"If-Match": value}).status_code in {200, 204}, value
    several = [("If-Match", '"1"'), ("If-Match", '"3"')]
    assert verb(home, twice_changed(home), several).status_code in {200, 204}


@both
def test_any_other_state_is_412_and_nothing_is_written(home: Client, verb: Verb) -> None:
    document_id = twice_changed(home)
    before = record_of(home, document_id)
    for value in (
        *('"1"', '"2"', '"4"', '"03"', '"+3"', '"x"', '""', 'W/"3"', 'W/"1", W/"3"', '"1", "2"', '"*"', '"3,2"'),
        *('"33"', '"' + "9" * 5000 + '"', '"3.0"', '"-3"', '"\'"', '"\\3"'),
    ):
        error_of(verb(home, document_id, {"If-Match": value}), 412, "precondition_failed")
    error_of(verb(home, document_id, [("If-Match", '"1"'), ("If-Match", '"2"')]), 412, "precondition_failed")
    assert record_of(home, document_id) == before
    assert revision_of(home, document_id) == 3


@both
def test_a_value_that_is_no_entity_tag_is_named_and_nothing_is_written(home: Client, verb: Verb) -> None:
    document_id = twice_changed(home)
    for value in (
        *("", "3", '"3', '3"', "'3'", '"3" "2"', '"3";"2"', 'w/"3"', 'W / "3"', "W/", '*, "3"', '"3", *', "**", "x"),
        *('"a"b"', '"3", 2', '""3""', 'W/W/"3"', '"3 "', '"2, 3"', '"3\t"'),
    ):
        assert wrong_fields(verb(home, document_id, {"If-Match": value})) == {"If-Match"}, value
    assert revision_of(home, document_id) == 3


@both
def test_an_unknown_document_is_404_whatever_state_is_named(home: Client, verb: Verb) -> None:
    for document_id in (UNKNOWN_DOCUMENT_ID, "x"):
        for value in ("*", '"1"', 'W/"1"'):
            error_of(verb(home, document_id, {"If-Match": value}), 404, "not_found")


def test_an_old_state_is_refused_even_if_the_patch_would_change_nothing(home: Client) -> None:
    document_id = twice_changed(home)
    error_of(change(home, document_id, {"If-Match": '"2"'}), 412, "precondition_failed")
    error_of(change(home, document_id, {"If-Match": '"2"'}, name="third.txt"), 412, "precondition_failed")
    assert change(home, document_id, {"If-Match": '"3"'}).headers["ETag"] == '"3"'


def test_a_delete_refused_for_its_state_leaves_the_idempotency_key_free_and_a_replay_ignores_the_state(
    home: Client,
) -> None:
    key, document_id = new_idempotency_key(), twice_changed(home)
    error_of(delete(home, document_id, key | {"If-Match": '"1"'}), 412, "precondition_failed")
    assert delete(home, document_id, key | {"If-Match": '"3"'}).status_code == 204
    again = delete(home, document_id, key | {"If-Match": '"3"'})
    assert (again.status_code, is_replay(again)) == (204, True)


def test_of_many_changes_to_one_state_exactly_one_is_made(home: Client, stored: str) -> None:
    document_id = home.recorded(stored)["id"]
    for revision in range(1, 6):
        state = {"If-Match": f'"{revision}"'}
        names = [f"{revision}-{number}.txt" for number in range(8)]
        answers = together([partial(change, home, document_id, state, name=name) for name in names])
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
        (won,) = (data_of(answer, 200) for answer in answers if answer.status_code == 200)
        assert record_of(home, document_id) == won
        assert revision_of(home, document_id) == revision + 1


def test_no_update_is_lost_if_every_client_reads_then_writes_with_if_match(home: Client, stored: str) -> None:
    document_id = home.recorded(stored)["id"]
    mine = [[f"client-{client}-{number}" for number in range(4)] for client in range(5)]

    def append(tags: list[str]) -> None:
        for tag in tags:
            while True:
                answer = home.get(f"/v1/documents/{document_id}?download=false")
                seen = data_of(answer, 200)["tags"]
                patched = change(home, document_id, {"If-Match": answer.headers["ETag"]}, tags=[*seen, tag])
                if patched.status_code == 200:
                    break
                error_of(patched, 412, "precondition_failed")

    together([partial(append, tags) for tags in mine])
    tags = record_of(home, document_id)["tags"]
    assert sorted(tags) == sorted(tag for tags in mine for tag in tags)
    for one_clients in mine:
        assert [tag for tag in tags if tag in one_clients] == one_clients
    assert revision_of(home, document_id) == 1 + len(tags)


def test_simultaneous_changes_of_different_members_are_all_made_without_if_match(home: Client, stored: str) -> None:
    document_id = home.recorded(stored)["id"]
    changes: dict[str, Any] = {"name": "b.txt", "description": "d", "folder": "/if-match/a", "tags": ["t"]}
    answers = together([partial(change, home, document_id, **{name: value}) for name, value in changes.items()])
    assert sorted(answer.headers["ETag"] for answer in answers) == ['"2"', '"3"', '"4"', '"5"']
    assert record_of(home, document_id).items() >= changes.items()


@both
def test_of_a_change_and_a_delete_of_one_state_exactly_one_is_made(home: Client, stored: str, verb: Verb) -> None:
    document_id = home.recorded(stored)["id"]
    etag = {"If-Match": etag_of(home, document_id)}
    answers = together([partial(verb, home, document_id, etag), partial(delete, home, document_id, etag)])
    made = [answer.status_code for answer in answers if answer.status_code in {200, 204}]
    assert len(made) == 1
    assert {answer.status_code for answer in answers} - {200, 204} <= {404, 412}
