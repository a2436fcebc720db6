"""If a store is unavailable, slow, broken or not an S3 server, calls soon raise `Unavailable` with a clear message
without secrets."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from adapters.in_process.system import utc_now
from adapters.s3.sending import Timeouts
from domain.documents import StoredObject
from ports.checks import Grade
from ports.storage import DownloadTerms, Unreadable, UploadTerms
from ports.system import Unavailable
from tests.contracts.stores import soon
from tests.s3 import faulty
from tests.s3.faulty import FOUND, PATH, error_of_stat, faulty_server, faulty_storage, respond, storage_at

UPLOAD = UploadTerms(path=PATH, mime_type="text/plain", size_bytes=None, sha256=None)
pytestmark = pytest.mark.usefixtures("unknown_credentials")


def unused_endpoint() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


@pytest.mark.parametrize(
    ("behaviour", "attempts", "words"),
    [
        (faulty.stay_silent, 2, "does not respond in time"),
        (faulty.send_endless_headers, 2, "does not respond in time"),
        # aiohttp sends each of the two attempts twice itself.
        (faulty.hang_up, 4, "closes the connection without a response"),
        (faulty.reset, 4, "cannot be used"),
        (faulty.greet_as_smtp, 2, "does not respond in HTTP"),
        (respond(500), 2, "the store responded with status 500"),
        (respond(503), 2, "the store asks for fewer requests (503)"),
        (respond(403), 1, "the request was refused (403): the credentials are wrong, or lack s3:GetObject"),
        # A GET follows, whose response may say why.
        (respond(400), 2, "the request was refused (400)"),
        (respond(301, "x-amz-bucket-region: eu-west-1"), 1, "its region is eu-west-1"),
        (respond(307, "Location: http://127.0.0.1:1/"), 1, "the bucket is elsewhere"),
        (respond(200, 'ETag: "abc"', "Content-Length: many"), 2, "does not respond in HTTP"),
        (respond(200, "Content-Length: 7"), 1, "has no length or no ETag"),
        (respond(204), 1, "the store responded with status 204"),
    ],
)
async def test_each_failure_is_explained_without_secrets_and_only_a_refusal_is_not_retried(
    behaviour: faulty.Behaviour, attempts: int, words: str
) -> None:
    async with faulty_storage(behaviour) as (storage, received):
        message = await error_of_stat(storage)
    assert len(received) == attempts
    assert words in message
    assert "http://127.0.0.1:" in message
    for hidden in ("\n", faulty.SECRET, "X-Amz-", "AKIDEXAMPLE"):
        assert hidden not in message


def test_two_attempts_fit_into_the_7_seconds_of_a_request() -> None:
    assert Timeouts() == Timeouts(connect_seconds=1, response_seconds=3)


@pytest.mark.parametrize("first", [faulty.stay_silent, respond(500)])
async def test_an_object_is_found_by_the_second_attempt(first: faulty.Behaviour) -> None:
    async with faulty_storage(first, FOUND) as (storage, _):
        assert await storage.stat(PATH) == StoredObject(size_bytes=7, etag="abc")


@contextmanager
def full_listener() -> Iterator[str]:
    """Yield an endpoint whose kernel drops new connections, because the queue of the listener has no free place."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            queued = stack.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_a_store_that_cannot_be_connected_to_is_explained() -> None:
    with full_listener() as full:
        for endpoint, words in (
            (unused_endpoint(), "accepts no connections"),
            ("http://store.invalid", "has a host name that this machine cannot resolve"),
            (full, "does not accept a connection in time"),
        ):
            async with storage_at(endpoint) as storage:
                assert words in await error_of_stat(storage)
    async with (
        faulty_server(faulty.greet_as_smtp) as (endpoint, _),
        storage_at(endpoint.replace("http", "https")) as storage,
    ):
        message = await error_of_stat(storage)
    assert "in time" in message or "cannot be used" in message or "is not trusted" in message


@pytest.mark.parametrize(
    ("bucket_response", "words"),
    [
        (respond(404), "there is no such bucket"),
        (respond(403), "the request was refused"),
        (respond(500), "with status 500"),
        (respond(200), None),
    ],
)
async def test_an_object_is_reported_as_missing_only_if_its_bucket_exists(
    bucket_response: faulty.Behaviour, words: str | None
) -> None:
    async with faulty_storage(respond(404), bucket_response) as (storage, received):
        if words is None:
            assert await storage.stat(PATH) is None
        else:
            assert words in await error_of_stat(storage)
    assert received[0].startswith(b"HEAD /acme/workspaces/ws_1/documents/a.txt?")
    assert received[1].startswith(b"HEAD /acme?")


@pytest.mark.parametrize("status", [400, 404, 405])
async def test_if_the_store_rejects_the_recorded_version_the_present_object_is_compared(status: int) -> None:
    recorded = StoredObject(size_bytes=7, etag="abc", version_id="of-another-store")
    terms = DownloadTerms(path=PATH, stored=recorded, mime_type="a/b", disposition="attachment")
    async with faulty_storage(respond(status), respond(200), FOUND) as (storage, received):
        assert await storage.sign_download(terms, soon()) is not None
    assert [b"versionId=of-another-store" in request for request in received] == [True, False, False]


ZEROS = "x-amz-checksum-sha256: " + "AAAA" * 10 + "AAA="


async def test_only_a_checksum_of_the_whole_object_counts() -> None:
    headers_and_sha256: tuple[tuple[tuple[str, ...], str | None], ...] = (
        ((ZEROS, "x-amz-checksum-type: FULL_OBJECT"), "00" * 32),
        ((ZEROS,), "00" * 32),
        ((ZEROS, "x-amz-checksum-type: COMPOSITE"), None),
        ((ZEROS + "-3",), None),
        (("x-amz-checksum-sha256: AAAA",), None),
        (("x-amz-checksum-sha256: ", "x-amz-version-id: null"), None),
        ((), None),
    )
    responses = [respond(200, "Content-Length: 7", 'ETag: "abc"', *headers) for headers, _ in headers_and_sha256]
    async with faulty_storage(*responses) as (storage, _):
        for headers, sha256 in headers_and_sha256:
            found = StoredObject(size_bytes=7, etag="abc", sha256=sha256, version_id=None)
            assert await storage.stat(PATH) == found, headers


async def test_an_object_of_which_readers_would_not_get_the_bytes_is_reported_as_such() -> None:
    class_, redirect = "x-amz-storage-class", "x-amz-website-redirect-location"
    headers_and_words: tuple[tuple[tuple[str, ...], str | None], ...] = (
        (("Content-Encoding: gzip",), "has the header Content-Encoding: gzip, so readers would decode it"),
        (("Content-Encoding: aws-chunked, BR",), "has the header Content-Encoding: aws-chunked, BR"),
        (("Content-Encoding: aws-chunked",), None),
        (("Content-Encoding: Identity,",), None),
        ((f"{redirect}: /other",), f"has the header {redirect}"),
        ((f"{class_}: GLACIER",), "is in the storage class GLACIER"),
        ((f"{class_}: DEEP_ARCHIVE", 'x-amz-restore: ongoing-request="true"'), "is in the storage class DEEP_ARCHIVE"),
        ((f"{class_}: GLACIER", 'x-amz-restore: ongoing-request="false", expiry-date="Fri"'), None),
        ((f"{class_}: GLACIER_IR",), None),
        # They change no bytes, and downloads have a Cache-Control of their own.
        (("Cache-Control: public", "Expires: 0", "Content-Language: tlh", "x-amz-meta-a: b"), None),
    )
    responses = [respond(200, "Content-Length: 7", 'ETag: "abc"', *headers) for headers, _ in headers_and_words]
    encrypted = respond(400, body="<Error><Message>The object was stored using a form of Server Side Encryption.")
    async with faulty_storage(*responses, respond(400), encrypted) as (storage, _):
        for headers, words in (*headers_and_words, ((), "is encrypted with a key that only its uploader has")):
            match await storage.stat(PATH):
                case Unreadable(why):
                    assert words is not None, headers
                    assert why.startswith(words)
                case found:
                    assert (found, words) == (StoredObject(size_bytes=7, etag="abc"), None), headers


async def test_each_error_code_of_the_store_is_explained() -> None:
    explanations = {
        "AuthorizationHeaderMalformed": "the region is wrong",
        "InvalidAccessKeyId": "the store does not know the access key",
        "SignatureDoesNotMatch": "the secret of the access key is wrong",
        "RequestTimeTooSkewed": "the clocks of the store and of this machine differ too much",
        "ExpiredToken": "the credentials have expired",
        "InvalidToken": "AWS_SESSION_TOKEN does not belong to the access key",
        "AccessDenied": "the credentials lack s3:GetObject",
        "NoSuchBucket": "there is no such bucket",
        "EntityTooBig": "GetObject was refused: EntityTooBig Because of the moon",
    }
    bodies = (f"<Error><Code>{code}</Code><Message>Because of\n the moon</Message></Error>" for code in explanations)
    async with faulty_storage(*(respond(400, body=body) for body in bodies)) as (storage, _):
        for words in explanations.values():
            with pytest.raises(Unavailable, match=words) as caught:
                await storage.read_mark()
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", ["<html>", ""])
async def test_a_web_server_without_s3_is_reported(body: str) -> None:
    async with faulty_storage(respond(200, body=body)) as (storage, _):
        (result,) = await storage.run_checks()
        assert (result.check, result.grade) == ("bucket", Grade.FAILED)
        with pytest.raises(Unavailable):
            await storage.prepare()


@pytest.mark.parametrize(("status", "words"), [(404, "no S3 server at this"), (301, r"the endpoint \(http or https\)")])
async def test_a_server_that_is_not_the_store_is_reported_in_words(status: int, words: str) -> None:
    async with faulty_storage(respond(status)) as (storage, _):
        with pytest.raises(Unavailable, match=words):
            await storage.prepare()


@pytest.mark.parametrize("has_credentials", [True, False])
async def test_every_call_to_a_store_that_cannot_be_used_raises_and_the_checks_report_it(
    monkeypatch: pytest.MonkeyPatch, *, has_credentials: bool
) -> None:
    words = "127.0.0.1"
    if not has_credentials:
        words = "no credentials for the object store: set AWS_ACCESS_KEY_ID"
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with storage_at(unused_endpoint()) as storage:
        for call in (
            storage.stat(PATH),
            storage.probe(),
            storage.prepare(),
            storage.delete([PATH]),
            storage.discard_unfinished("workspaces/", utc_now()),
            storage.delete_other_versions(PATH, "v1", dry_run=False),
            anext(storage.list_replaced("workspaces/")),
            storage.read_mark(),
            storage.write_mark("mine", replace=False),
            storage.write_mark("mine", replace=True),
            anext(storage.list("workspaces/")),
            *(() if has_credentials else (storage.sign_upload(UPLOAD, soon()),)),
        ):
            with pytest.raises(Unavailable, match=words) as caught:
                await call
            assert faulty.SECRET not in str(caught.value)
        (result,) = await storage.run_checks()
        assert (result.check, result.grade, words in result.found) == ("bucket", Grade.FAILED, True)
