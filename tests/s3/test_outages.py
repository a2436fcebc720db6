"""A store that is unavailable, slow, broken or of another kind raises `Unavailable` soon, in words, without secrets."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.sending import Timeouts
from adapters.s3.storage import S3Storage, open_s3
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import Grade
from ports.storage import DownloadTerms, UploadTerms
from ports.system import Unavailable
from tests.ministack import NO_CREDENTIALS
from tests.s3.faulty import (
    Behaviour,
    faulty_server,
    greet_as_smtp,
    hang_up,
    reset,
    respond,
    send_endless_headers,
    stay_silent,
)  # fmt: skip

PATH = StoragePath("workspaces/ws_1/documents/a.txt")
QUICK = Timeouts(connect_seconds=0.2, response_seconds=0.3)
FOUND = respond(200, "Content-Length: 7", 'ETag: "abc"')
SECRET = "a-secret-that-must-not-be-shown"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set credentials that no server knows, and no proxy."""
    for name, value in NO_CREDENTIALS.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@asynccontextmanager
async def storage_at(endpoint: str) -> AsyncIterator[S3Storage]:
    async with open_s3(s3_location(f"s3://acme?endpoint={endpoint}"), utc_now, QUICK) as storage:
        yield storage


async def error_of_stat(storage: S3Storage) -> str:
    with pytest.raises(Unavailable) as caught:
        await storage.stat(PATH)
    return str(caught.value)


def unused_endpoint() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (stay_silent, "does not respond in time"),
        (send_endless_headers, "does not respond in time"),
        (hang_up, "closes the connection without a response"),
        (reset, "cannot be used"),
        (greet_as_smtp, "does not respond in HTTP"),
        (respond(500), "the store responded with status 500"),
        (respond(503), "the store asks for fewer requests (503)"),
        (respond(403), "the request was refused (403): the credentials are wrong, or lack s3:GetObject"),
        (respond(400), "the request was refused (400)"),
        (respond(301, "x-amz-bucket-region: eu-west-1"), "its region is eu-west-1"),
        (respond(307, "Location: http://127.0.0.1:1/"), "the bucket is elsewhere"),
        (respond(200, 'ETag: "abc"', "Content-Length: many"), "does not respond in HTTP"),
        (respond(200, "Content-Length: 7"), "has no length or no ETag"),
        (respond(204), "the store responded with status 204"),
    ],
)
async def test_each_failure_is_explained_in_one_line_without_secrets(behaviour: Behaviour, words: str) -> None:
    async with faulty_server(behaviour) as (endpoint, _), storage_at(endpoint) as storage:
        message = await error_of_stat(storage)
    assert words in message
    assert endpoint in message
    for hidden in ("\n", SECRET, "X-Amz-", "AKIDEXAMPLE"):
        assert hidden not in message


@pytest.mark.parametrize("first", [stay_silent, hang_up, reset, respond(500), respond(503)])
async def test_a_failed_attempt_is_retried(first: Behaviour) -> None:
    async with faulty_server(first, FOUND) as (endpoint, _), storage_at(endpoint) as storage:
        assert await storage.stat(PATH) == StoredObject(size_bytes=7, etag="abc")


@pytest.mark.parametrize("refusal", [respond(403), respond(301), respond(400)])
async def test_a_refusal_is_not_retried(refusal: Behaviour) -> None:
    async with faulty_server(refusal, FOUND) as (endpoint, received), storage_at(endpoint) as storage:
        await error_of_stat(storage)
    assert len(received) == 1


async def test_a_store_that_never_responds_is_given_up_after_two_attempts() -> None:
    async with faulty_server(stay_silent) as (endpoint, received), storage_at(endpoint) as storage:
        async with asyncio.timeout(5):
            await error_of_stat(storage)
    assert len(received) == 2
    # The defaults of a deployment: two attempts fit into the 7 s of a request.
    assert Timeouts() == Timeouts(connect_seconds=1, response_seconds=3)


async def test_a_store_that_cannot_be_connected_to_is_explained() -> None:
    async with storage_at(unused_endpoint()) as storage:
        assert "accepts no connections" in await error_of_stat(storage)
    async with storage_at("http://store.invalid") as storage:
        assert "has a host name that this machine cannot resolve" in await error_of_stat(storage)
    async with faulty_server(greet_as_smtp) as (endpoint, _), storage_at(endpoint.replace("http", "https")) as storage:
        message = await error_of_stat(storage)
    assert "in time" in message or "cannot be used" in message or "is not trusted" in message
    with socket.socket() as full:
        # The kernel drops new connections, because the queue of the listener has no free place.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(4)]
        for caller in queued:
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        try:
            async with storage_at(f"http://127.0.0.1:{full.getsockname()[1]}") as storage:
                assert "does not accept a connection in time" in await error_of_stat(storage)
        finally:
            for caller in queued:
                caller.close()


@pytest.mark.parametrize(
    ("bucket_response", "words"),
    [
        (respond(404), "there is no such bucket"),
        (respond(403), "the request was refused"),
        (respond(500), "with status 500"),
    ],
)
async def test_an_object_is_not_reported_as_missing_when_its_bucket_is(bucket_response: Behaviour, words: str) -> None:
    async with faulty_server(respond(404), bucket_response) as (endpoint, _), storage_at(endpoint) as storage:
        assert words in await error_of_stat(storage)


async def test_an_object_is_missing_if_its_bucket_exists() -> None:
    async with faulty_server(respond(404), respond(200)) as (endpoint, received), storage_at(endpoint) as storage:
        assert await storage.stat(PATH) is None
    assert received[0].startswith(b"HEAD /acme/workspaces/ws_1/documents/a.txt?")
    assert received[1].startswith(b"HEAD /acme?")


@pytest.mark.parametrize("status", [400, 404, 405])
async def test_if_the_store_rejects_the_recorded_version_the_present_object_is_compared(status: int) -> None:
    recorded = StoredObject(size_bytes=7, etag="abc", version_id="of-another-store")
    terms = DownloadTerms(path=PATH, stored=recorded, mime_type="a/b", disposition="attachment")
    server = faulty_server(respond(status), respond(200), FOUND)
    async with server as (endpoint, received), storage_at(endpoint) as storage:
        assert await storage.sign_download(terms, utc_now() + timedelta(minutes=1)) is not None
    assert [b"versionId=of-another-store" in request for request in received] == [True, False, False]


ZEROS = "x-amz-checksum-sha256: " + "AAAA" * 10 + "AAA="


@pytest.mark.parametrize(
    ("headers", "sha256"),
    [
        ((ZEROS, "x-amz-checksum-type: FULL_OBJECT"), "00" * 32),
        ((ZEROS,), "00" * 32),
        ((ZEROS, "x-amz-checksum-type: COMPOSITE"), None),
        ((ZEROS + "-3",), None),
        (("x-amz-checksum-sha256: AAAA",), None),
        (("x-amz-checksum-sha256: ", "x-amz-version-id: null"), None),
        ((), None),
    ],
)
async def test_only_a_checksum_of_the_whole_object_counts(headers: tuple[str, ...], sha256: str | None) -> None:
    found = respond(200, "Content-Length: 7", 'ETag: "abc"', *headers)
    async with faulty_server(found) as (endpoint, _), storage_at(endpoint) as storage:
        assert await storage.stat(PATH) == StoredObject(size_bytes=7, etag="abc", sha256=sha256, version_id=None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AuthorizationHeaderMalformed", "the region is wrong"),
        ("InvalidAccessKeyId", "the store does not know the access key"),
        ("SignatureDoesNotMatch", "the secret of the access key is wrong"),
        ("RequestTimeTooSkewed", "the clocks of the store and of this machine differ too much"),
        ("ExpiredToken", "the credentials have expired"),
        ("AccessDenied", "the credentials lack s3:GetObject"),
        ("NoSuchBucket", "there is no such bucket"),
        ("EntityTooBig", "GetObject was refused: EntityTooBig Because of the moon"),
    ],
)
async def test_each_error_code_of_the_store_is_explained(code: str, words: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>Because of\n the moon</Message></Error>"
    refusal = respond(400, "Content-Type: application/xml", body=body)
    async with faulty_server(refusal) as (endpoint, _), storage_at(endpoint) as storage:
        with pytest.raises(Unavailable) as caught:
            await storage.read_mark()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", ["It works!", "<html>", "<a/>", '{"error": 1}', ""])
async def test_a_web_server_without_s3_is_reported(body: str) -> None:
    async with faulty_server(respond(200, body=body)) as (endpoint, _), storage_at(endpoint) as storage:
        (result,) = await storage.run_checks()
        assert (result.check, result.grade) == ("bucket", Grade.FAILED)
        with pytest.raises(Unavailable):
            await storage.prepare()


async def test_every_call_to_an_unavailable_store_raises_and_the_checks_report_it() -> None:
    async with storage_at(unused_endpoint()) as storage:
        for call in (
            storage.probe(),
            storage.prepare(),
            storage.delete([PATH]),
            storage.discard_unfinished("workspaces/", utc_now()),
            storage.read_mark(),
            storage.write_mark("mine", replace=False),
            storage.write_mark("mine", replace=True),
            anext(storage.list("workspaces/")),
        ):
            with pytest.raises(Unavailable) as caught:
                await call
            assert SECRET not in str(caught.value)
        (result,) = await storage.run_checks()
        assert (result.check, result.grade, "127.0.0.1" in result.found) == ("bucket", Grade.FAILED, True)


async def test_without_credentials_nothing_is_sent_and_the_error_names_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    upload = UploadTerms(path=PATH, mime_type="text/plain", size_bytes=None, sha256=None)
    async with faulty_server(FOUND) as (endpoint, received), storage_at(endpoint) as storage:
        for call in (
            storage.stat(PATH),
            storage.sign_upload(upload, utc_now() + timedelta(minutes=1)),
            storage.prepare(),
            storage.read_mark(),
        ):
            with pytest.raises(Unavailable, match="no credentials for the object store: set AWS_ACCESS_KEY_ID"):
                await call
        (result,) = await storage.run_checks()
        assert "no credentials" in result.found
    assert received == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_PROFILE", "missing-profile"), ("AWS_CA_BUNDLE", "/nowhere/ca.pem"), ("AWS_SECRET_ACCESS_KEY", "")],
)
async def test_an_environment_that_cannot_be_used_raises_unavailable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable):
        async with storage_at("http://127.0.0.1:1") as storage:
            await storage.stat(PATH)


async def test_credentials_are_found_in_the_files_of_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    file = tmp_path / "credentials"
    file.write_text(
        "[acme]\naws_access_key_id = AKIDOFFILE\naws_secret_access_key = s\naws_session_token = a token/+\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "acme")
    async with faulty_server(FOUND) as (endpoint, received), storage_at(endpoint) as storage:
        assert await storage.stat(PATH) is not None
    assert b"X-Amz-Credential=AKIDOFFILE%2F" in received[0]
    assert b"X-Amz-Security-Token=a%20token%2F%2B&" in received[0]


async def test_the_endpoint_variables_of_aws_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        faulty_server(respond(500)) as (other, others),
        faulty_server(FOUND) as (endpoint, received),
        faulty_server(respond(502)) as (proxy, proxied),
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", other)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", other)
        async with storage_at(endpoint) as storage:
            await storage.stat(PATH)
            with pytest.raises(Unavailable):
                await storage.write_mark("mine", replace=True)
        assert len(received) >= 2
        # The proxy keeps requests to AWS itself on this machine.
        monkeypatch.setenv("https_proxy", proxy)
        async with open_s3(s3_location("s3://acme?region=eu-central-1"), utc_now, QUICK) as storage:
            for call in (storage.stat(PATH), storage.read_mark()):
                with pytest.raises(Unavailable):
                    await call
        assert {request.split()[1] for request in proxied} == {b"acme.s3.eu-central-1.amazonaws.com:443"}
    assert others == []


async def test_a_proxy_of_the_environment_is_used_for_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with faulty_server(FOUND) as (proxy, received):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "direct.invalid")
        async with storage_at("http://store.invalid") as storage:
            assert await storage.stat(PATH) is not None
            with pytest.raises(Unavailable):
                await storage.write_mark("mine", replace=True)
        assert received[0].startswith(b"HEAD http://store.invalid/acme/workspaces/")
        assert received[1].startswith(b"PUT http://store.invalid/acme/.dossier/deployment")
        before = len(received)
        async with storage_at("http://direct.invalid") as storage:
            assert "has a host name that this machine cannot resolve" in await error_of_stat(storage)
        assert len(received) == before


async def test_a_certificate_is_trusted_only_if_aws_ca_bundle_names_its_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=store -keyout {key} -out {certificate}".split()
    openssl = await asyncio.create_subprocess_exec(
        "openssl", *request, "-addext", "subjectAltName=IP:127.0.0.1", stderr=asyncio.subprocess.DEVNULL
    )
    assert await openssl.wait() == 0
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    missing = respond(404, body="<Error><Code>NoSuchKey</Code></Error>")
    async with faulty_server(FOUND, missing, tls=tls) as (endpoint, _):
        async with storage_at(endpoint) as storage:
            assert "is not trusted" in await error_of_stat(storage)
            with pytest.raises(Unavailable):
                await storage.read_mark()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        async with storage_at(endpoint) as storage:
            assert await storage.stat(PATH) is not None
            assert await storage.read_mark() is None
