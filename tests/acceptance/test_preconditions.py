"""Conditional requests for documents and downloads, over HTTP (RFC 9110 13).

tests/http/test_conditional.py proves the syntax of the headers and the order in which they are evaluated.
tests/domain/test_changes.py and tests/contracts/test_preconditions.py prove which changes give a document another ETag.
"""

import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, data_of, error_of, wrong_fields
from .documents import FOLDERS, change, delete, document_path, etag_of, is_replay, new_idempotency_key, record_of


def test_a_change_and_a_delete_are_made_in_the_states_that_the_client_allows_and_in_no_other(home: Client) -> None:
    document_id, key = home.recorded(folder="/etags/a")["id"], new_idempotency_key()
    outdated = etag_of(home, document_id)
    data_of(home.patch(FOLDERS, {"from": "/etags", "to": "/etags-moved"}), 200)
    before, etag = record_of(home, document_id), etag_of(home, document_id)
    for name, value in (
        *(("If-Match", outdated), ("If-Match", '"x"')),
        *(("If-None-Match", etag), ("If-None-Match", "*")),
    ):
        # A patch that would change nothing is refused too.
        for text in ("b.txt", before["name"]):
            error_of(change(home, document_id, {name: value}, name=text), 412, "precondition_failed")
        error_of(delete(home, document_id, key | {name: value}), 412, "precondition_failed")
    malformed = {"If-Match": "1"}
    for answer in (change(home, document_id, malformed, name="b.txt"), delete(home, document_id, malformed)):
        assert wrong_fields(answer) == {"If-Match"}
    assert (record_of(home, document_id), etag_of(home, document_id)) == (before, etag)

    changed = change(home, document_id, [("If-Match", '"x"'), ("If-Match", f"W/{etag}")], name="b.txt")
    data_of(changed, 200)
    changed = change(home, document_id, {"If-None-Match": etag}, name="c.txt")
    for replayed in (False, True):
        answer = delete(home, document_id, key | {"If-Match": changed.headers["ETag"]})
        assert (answer.status_code, is_replay(answer)) == (204, replayed)


def test_a_known_document_is_304_with_its_etag_and_without_a_body(home: Client) -> None:
    document_id = home.recorded(folder="/known")["id"]
    etag = etag_of(home, document_id)
    for query in ("", "?download=false"):
        answer = home.get(document_path(document_id) + query, {"If-None-Match": f'"x", {etag}'})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
        assert "Content-Type" not in answer.headers
    data_of(home.get(document_path(document_id), {"If-None-Match": '"x"'}), 200)


def test_every_other_refusal_comes_before_that_of_a_precondition(home: Client) -> None:
    conditions = {"If-Match": '"x"', "If-None-Match": "*"}
    error_of(home.get(document_path(UNKNOWN_DOCUMENT_ID), conditions), 404, "not_found")
    document_id = home.recorded()["id"]
    error_of(home.get(f"{document_path(document_id)}?download=maybe", conditions), 400, "validation_error")
    error_of(change(home, document_id, conditions, name=""), 400, "validation_error")
    error_of(home.get(document_path(document_id), conditions), 412, "precondition_failed")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_download_honours_preconditions(home: Client, method: str) -> None:
    url = home.download_url(home.recorded()["id"])
    whole = home.storage(method, url)
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    for headers, status in (
        *(({"If-None-Match": etag}, 304), ({"If-Modified-Since": modified}, 304), ({"If-None-Match": '"x"'}, 200)),
        *(({"If-Match": '"x"'}, 412), ({"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412)),
    ):
        answer = home.storage(method, url, headers=headers)
        assert answer.status_code == status, headers
        if status == 304:
            assert (answer.content, answer.headers["ETag"]) == (b"", etag)
            assert "Content-Length" not in answer.headers


def test_if_range_serves_a_part_only_of_unchanged_bytes(home: Client) -> None:
    url = home.download_url(home.recorded()["id"])
    whole = home.storage("HEAD", url).headers
    for condition, status in (
        *(({"If-Range": whole["ETag"]}, 206), ({"If-Range": whole["Last-Modified"]}, 206)),
        *(({"If-Range": '"x"'}, 200), ({"If-Range": f"W/{whole['ETag']}"}, 200)),
        ({"If-None-Match": whole["ETag"]}, 304),
    ):
        answer = home.storage("GET", url, headers={"Range": "bytes=0-1"} | condition)
        assert answer.status_code == status, condition


def test_if_match_refuses_every_upload_after_its_terms_are_checked_and_before_its_object(home: Client) -> None:
    signed = home.sign_upload()

    def refused(status: int, **headers: str) -> str:
        code = {400: "validation_error", 412: "precondition_failed"}[status]
        return str(error_of(home.put(signed, b"hello", **headers), status, code))

    assert "If-Match" in refused(412, If_Match="*")
    assert "Content-Type" in refused(400, If_Match="*", Content_Type="text/csv")
    assert home.put(signed, b"hello", If_None_Match="*").status_code == 200
    assert "record it" in refused(412, If_None_Match="*")
    assert "If-Match" in refused(412, If_Match="*", If_None_Match="*")
