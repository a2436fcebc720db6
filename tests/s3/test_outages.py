"""A store that is away, slow, broken or not ours: `Unavailable`, in words, soon, and without a secret in them."""

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
from ports.storage import UploadTerms
from ports.system import Unavailable
from tests.ministack import NO_CREDENTIALS
from tests.s3.faulty import Behaviour, answer, babble, drip, faulty_server, hang_up, reset, silence

PATH = StoragePath("workspaces/ws_1/documents/a.txt")
QUICK = Timeouts(connect_seconds=0.2, response_seconds=0.3)
FOUND = answer(200, "Content-Length: 7", 'ETag: "abc"')
SECRET = "a-secret-that-nobody-may-see"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some, that no server knows."""
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


async def told_of(storage: S3Storage) -> str:
    """What `stat` says is wrong."""
    with pytest.raises(Unavailable) as caught:
        await storage.stat(PATH)
    return str(caught.value)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (silence, "does not respond in time"),
        (drip, "does not respond in time"),
        (hang_up, "closes the connection without a response"),
        (reset, "cannot be used"),
        (babble, "does not respond in HTTP"),
        (answer(500), "the store responded with status 500"),
        (answer(503), "the store asks for fewer requests (503)"),
        (answer(403), "the request was refused (403): the credentials are wrong, or lack s3:GetObject"),
        (answer(400), "the request was refused (400)"),
        (answer(301, "x-amz-bucket-region: eu-west-1"), "its region is eu-west-1"),
        (answer(307, "Location: http://127.0.0.1:1/"), "the bucket is elsewhere"),
        (answer(200, 'ETag: "abc"', "Content-Length: many"), "does not respond in HTTP"),
        (answer(200, "Content-Length: 7"), "has no length or no ETag"),
        (answer(204), "the store responded with status 204"),
        (answer(418), "the store responded with status 418"),
    ],
)
async def test_each_way_of_failing_is_told_in_words(behaviour: Behaviour, words: str) -> None:
    async with faulty_server(behaviour) as (endpoint, _), storage_at(endpoint) as storage:
        reported = await told_of(storage)
    assert words in reported
    assert endpoint in reported
    assert "\n" not in reported
    for secret in (SECRET, "X-Amz-", "AKIDEXAMPLE"):
        assert secret not in reported


@pytest.mark.parametrize("first", [silence, hang_up, reset, answer(500), answer(503)])
async def test_what_fails_once_is_tried_again(first: Behaviour) -> None:
    async with faulty_server(first, FOUND) as (endpoint, seen), storage_at(endpoint) as storage:
        assert await storage.stat(PATH) == StoredObject(size_bytes=7, etag="abc")
    assert len(seen) >= 2


@pytest.mark.parametrize("refusal", [answer(403), answer(301), answer(400)])
async def test_a_refusal_is_not_asked_for_again(refusal: Behaviour) -> None:
    async with faulty_server(refusal, FOUND) as (endpoint, seen), storage_at(endpoint) as storage:
        await told_of(storage)
    assert len(seen) == 1


async def test_a_store_that_never_answers_is_asked_twice_and_given_up_soon() -> None:
    async with faulty_server(silence) as (endpoint, seen), storage_at(endpoint) as storage:
        start = asyncio.get_running_loop().time()
        await told_of(storage)
        assert asyncio.get_running_loop().time() - start < 5
    assert len(seen) == 2
    # What a deployment waits: twice this, within the seven seconds that a request has.
    assert Timeouts() == Timeouts(connect_seconds=1, response_seconds=3)


async def test_a_port_where_nobody_listens_is_told_and_so_is_a_network_that_swallows_everything() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with storage_at(f"http://127.0.0.1:{port}") as storage:
        assert "accepts no connections" in await told_of(storage)
    with socket.socket() as full:
        # Nobody accepts, and the one place in the queue is taken.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(4)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        try:
            async with storage_at(f"http://127.0.0.1:{full.getsockname()[1]}") as storage:
                assert "does not accept a connection in time" in await told_of(storage)
        finally:
            for one in queued:
                one.close()


async def test_a_name_that_nobody_knows_is_told() -> None:
    async with storage_at("http://store.invalid") as storage:
        assert "has a host name that this machine cannot resolve" in await told_of(storage)


async def test_a_server_without_tls_where_some_was_meant_is_told() -> None:
    async with faulty_server(babble) as (endpoint, _), storage_at(endpoint.replace("http", "https")) as storage:
        reported = await told_of(storage)
    assert "in time" in reported or "cannot be used" in reported or "is not trusted" in reported


@pytest.mark.parametrize(
    ("bucket_is", "words"),
    [
        (answer(404), "there is no such bucket"),
        (answer(403), "the request was refused"),
        (answer(500), "responded with status 500"),
    ],
)
async def test_an_object_is_not_taken_for_lost_when_its_bucket_is(bucket_is: Behaviour, words: str) -> None:
    async with faulty_server(answer(404), bucket_is) as (endpoint, _), storage_at(endpoint) as storage:
        assert words in await told_of(storage)


async def test_an_object_that_is_not_there_is_not_there_while_its_bucket_is() -> None:
    async with faulty_server(answer(404), answer(200)) as (endpoint, seen), storage_at(endpoint) as storage:
        assert await storage.stat(PATH) is None
    assert seen[0].startswith(b"HEAD /acme/workspaces/ws_1/documents/a.txt?")
    assert seen[1].startswith(b"HEAD /acme?")


@pytest.mark.parametrize(
    ("headers", "sha256"),
    [
        (("x-amz-checksum-sha256: " + "AAAA" * 10 + "AAA=", "x-amz-checksum-type: FULL_OBJECT"), "00" * 32),
        (("x-amz-checksum-sha256: " + "AAAA" * 10 + "AAA=",), "00" * 32),
        (("x-amz-checksum-sha256: " + "AAAA" * 10 + "AAA=", "x-amz-checksum-type: COMPOSITE"), None),
        (("x-amz-checksum-sha256: " + "AAAA" * 10 + "AAA=-3",), None),
        (("x-amz-checksum-sha256: AAAA",), None),
        (("x-amz-checksum-sha256: ", "x-amz-version-id: null"), None),
        ((), None),
    ],
)
async def test_a_checksum_counts_only_when_it_is_that_of_the_whole_object(
    headers: tuple[str, ...], sha256: str | None
) -> None:
    found = answer(200, "Content-Length: 7", 'ETag: "abc"', *headers)
    async with faulty_server(found) as (endpoint, _), storage_at(endpoint) as storage:
        stored = await storage.stat(PATH)
    assert stored is not None
    assert stored.version_id is None
    assert stored.sha256 == sha256


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
async def test_what_the_store_says_is_told_in_words_of_ours(code: str, words: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>Because of\n the moon</Message></Error>"
    refusal = answer(400, "Content-Type: application/xml", body=body)
    async with faulty_server(refusal) as (endpoint, _), storage_at(endpoint) as storage:
        with pytest.raises(Unavailable) as caught:
            await storage.read_mark()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", ["It works!", "<html>", "<a/>", '{"error": 1}', ""])
async def test_a_server_that_is_no_object_store_is_told(body: str) -> None:
    async with faulty_server(answer(200, body=body)) as (endpoint, _), storage_at(endpoint) as storage:
        (finding,) = await storage.run_checks()
        assert (finding.check, finding.grade) == ("bucket", Grade.FAILED)
        with pytest.raises(Unavailable):
            await storage.prepare()


async def test_every_other_call_is_unavailable_too_and_the_examination_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with storage_at(endpoint) as storage:
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
        (finding,) = await storage.run_checks()
        assert (finding.check, finding.grade) == ("bucket", Grade.FAILED)
        assert "127.0.0.1" in finding.found


async def test_without_credentials_nothing_is_signed_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    upload = UploadTerms(path=PATH, mime_type="text/plain", size_bytes=None, sha256=None)
    async with faulty_server(FOUND) as (endpoint, seen), storage_at(endpoint) as storage:
        assert "no credentials for the object store: set AWS_ACCESS_KEY_ID" in await told_of(storage)
        for call in (
            storage.sign_upload(upload, utc_now() + timedelta(minutes=1)),
            storage.prepare(),
            storage.read_mark(),
        ):
            with pytest.raises(Unavailable, match="no credentials"):
                await call
        (finding,) = await storage.run_checks()
        assert "no credentials" in finding.found
    assert seen == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_PROFILE", "nobody-has-this-profile"), ("AWS_CA_BUNDLE", "/nowhere/ca.pem"), ("AWS_SECRET_ACCESS_KEY", "")],
)
async def test_an_environment_that_cannot_be_used_is_told(
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
    async with faulty_server(FOUND) as (endpoint, seen), storage_at(endpoint) as storage:
        assert await storage.stat(PATH) is not None
    assert b"X-Amz-Credential=AKIDOFFILE%2F" in seen[0]
    assert b"X-Amz-Security-Token=a%20token%2F%2B&" in seen[0]


async def test_what_is_asked_is_asked_of_our_endpoint_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with faulty_server(answer(500)) as (other, theirs), faulty_server(FOUND) as (endpoint, ours):
        monkeypatch.setenv("AWS_ENDPOINT_URL", other)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", other)
        async with storage_at(endpoint) as storage:
            await storage.stat(PATH)
            with pytest.raises(Unavailable):
                await storage.write_mark("mine", replace=True)
    assert theirs == []
    assert len(ours) >= 2


async def test_aws_is_aws_whatever_endpoint_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    async with faulty_server(FOUND) as (other, theirs), faulty_server(answer(502)) as (proxy, seen):
        monkeypatch.setenv("AWS_ENDPOINT_URL", other)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", other)
        # Where all would go, so that nothing leaves this machine.
        monkeypatch.setenv("https_proxy", proxy)
        async with open_s3(s3_location("s3://acme?region=eu-central-1"), utc_now, QUICK) as storage:
            for call in (storage.stat(PATH), storage.read_mark()):
                with pytest.raises(Unavailable):
                    await call
    assert theirs == []
    assert {request.split()[1] for request in seen} == {b"acme.s3.eu-central-1.amazonaws.com:443"}


async def test_a_proxy_of_the_environment_is_used_for_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with faulty_server(FOUND) as (proxy, seen):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "direct.invalid")
        async with storage_at("http://store.invalid") as storage:
            assert await storage.stat(PATH) is not None
            with pytest.raises(Unavailable):
                await storage.write_mark("mine", replace=True)
        assert seen[0].startswith(b"HEAD http://store.invalid/acme/workspaces/")
        assert seen[1].startswith(b"PUT http://store.invalid/acme/.dossier/deployment")
        came = len(seen)
        async with storage_at("http://direct.invalid") as storage:
            assert "has a host name that this machine cannot resolve" in await told_of(storage)
        assert len(seen) == came


async def test_a_certificate_is_trusted_when_its_authority_is_named_and_else_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=store -keyout {key} -out {certificate}".split()
    made = await asyncio.create_subprocess_exec(
        "openssl", *request, "-addext", "subjectAltName=IP:127.0.0.1", stderr=asyncio.subprocess.DEVNULL
    )
    assert await made.wait() == 0
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    gone = answer(404, body="<Error><Code>NoSuchKey</Code></Error>")
    async with faulty_server(FOUND, gone, tls=tls) as (endpoint, _):
        async with storage_at(endpoint) as storage:
            assert "is not trusted" in await told_of(storage)
            with pytest.raises(Unavailable):
                await storage.read_mark()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        async with storage_at(endpoint) as storage:
            assert await storage.stat(PATH) is not None
            assert await storage.read_mark() is None
