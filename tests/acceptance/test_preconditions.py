"""Preconditions on records and downloads, over HTTP (RFC 9110 13). tests/http/test_conditional.py has their table."""

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, data_of, error_of
from .documents import FOLDERS, change, delete, document_path, etag_of, linked_entity, unlink_entity


def test_an_etag_names_everything_that_is_shown(home: Client) -> None:
    document_id = home.recorded(folder="/etags/a/b")["id"]
    seen = [etag_of(home, document_id)]

    def changed() -> bool:
        seen.append(etag_of(home, document_id))
        return seen[-1] not in seen[:-1]

    link = linked_entity(home, document_id)
    assert changed()
    linked_entity(home, home.recorded()["id"])
    assert not changed()
    assert unlink_entity(home, document_id, link["link_id"]).status_code == 204
    assert changed()
    data_of(home.patch(FOLDERS, {"from": "/etags/a", "to": "/etags/c"}), 200)
    assert changed()
    assert change(home, document_id, tags=["t"]).headers["ETag"] not in seen
    assert changed()
    assert change(home, document_id, tags=["t"]).headers["ETag"] == seen[-1]


def test_a_change_of_a_moved_document_needs_the_new_etag(home: Client) -> None:
    document_id = home.recorded(folder="/etags-of-moves/a")["id"]
    old = {"If-Match": etag_of(home, document_id)}
    data_of(home.patch(FOLDERS, {"from": "/etags-of-moves", "to": "/etags-moved"}), 200)
    error_of(change(home, document_id, old, name="b.txt"), 412, "precondition_failed")
    error_of(delete(home, document_id, old), 412, "precondition_failed")
    current = etag_of(home, document_id)
    patched = change(home, document_id, {"If-Match": f"W/{current}"}, name="b.txt")
    assert delete(home, document_id, {"If-Match": patched.headers["ETag"]}).status_code == 204


def test_a_known_document_is_304_with_its_etag_and_without_a_body(home: Client) -> None:
    document_id = home.recorded(folder="/known")["id"]
    etag = etag_of(home, document_id)
    for value in (etag, f"W/{etag}", f'"x", {etag}', etag[:-1] + '-gzip"', "*"):
        for query in ("", "?download=false"):
            answer = home.get(document_path(document_id) + query, {"If-None-Match": value})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
            assert "Content-Type" not in answer.headers
    data_of(home.get(document_path(document_id), {"If-None-Match": '"x"'}), 200)


def test_every_other_refusal_comes_before_a_precondition(home: Client) -> None:
    conditions = {"If-Match": '"x"', "If-None-Match": "*"}
    error_of(home.get(document_path(UNKNOWN_DOCUMENT_ID), conditions), 404, "not_found")
    document_id = home.recorded()["id"]
    error_of(home.get(f"{document_path(document_id)}?download=maybe", conditions), 400, "validation_error")
    error_of(change(home, document_id, conditions, name=""), 400, "validation_error")
    error_of(home.get(document_path(document_id), conditions), 412, "precondition_failed")


def test_if_none_match_keeps_a_change_from_the_states_it_names(home: Client) -> None:
    document_id = home.recorded()["id"]
    for value in ("*", etag_of(home, document_id)):
        error_of(change(home, document_id, {"If-None-Match": value}, name="b.txt"), 412, "precondition_failed")
        error_of(delete(home, document_id, {"If-None-Match": value}), 412, "precondition_failed")
    data_of(change(home, document_id, {"If-None-Match": '"x"'}, name="b.txt"), 200)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_download_honours_preconditions(home: Client, method: str) -> None:
    url = home.download_url(home.recorded(home.upload(b"0123456789"))["id"])
    whole = home.storage(method, url)
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    for headers, status in (
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f"W/{etag}"}, 304),
        ({"If-None-Match": '"x"', "If-Modified-Since": modified}, 200),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Match": '"x"'}, 412),
        ({"If-Match": etag, "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
    ):
        answer = home.storage(method, url, headers=headers)
        assert answer.status_code == status, headers
        if status == 304:
            assert (answer.content, answer.headers["ETag"]) == (b"", etag)
            assert "Content-Length" not in answer.headers


def test_a_range_is_served_only_if_if_range_names_these_bytes(home: Client) -> None:
    url = home.download_url(home.recorded(home.upload(b"0123456789"))["id"])
    whole = home.storage("HEAD", url).headers
    for value, status in ((whole["ETag"], 206), (whole["Last-Modified"], 206), (f"W/{whole['ETag']}", 200)):
        answer = home.storage("GET", url, headers={"Range": "bytes=0-1", "If-Range": value})
        assert answer.status_code == status, value
    part = {"Range": "bytes=0-1"}
    assert home.storage("GET", url, headers=part | {"If-None-Match": whole["ETag"]}).status_code == 304


def test_all_of_an_empty_file_is_200(home: Client) -> None:
    url = home.download_url(home.recorded(home.upload(b""))["id"])
    answer = home.storage("GET", url, headers={"Range": "bytes=0-"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_an_upload_with_if_match_is_412_because_it_never_replaces_an_object(home: Client) -> None:
    signed = home.sign_upload()
    assert home.put(signed, b"hello", If_Match="*").status_code == 412
    assert home.put(signed, b"hello", If_None_Match="*").status_code == 200
