"""The parts of S3 that the environment configures: credentials, proxies and certificate authorities."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import open_s3
from ports.system import Unavailable
from tests.s3.faulty import FOUND, PATH, QUICK, error_of_stat, faulty_server, faulty_storage, respond, storage_at

pytestmark = pytest.mark.usefixtures("unknown_credentials")


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_PROFILE", "missing-profile"), ("AWS_CA_BUNDLE", "/nowhere/ca.pem"), ("AWS_SECRET_ACCESS_KEY", "")],
)
async def test_an_unusable_environment_is_unavailable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable):
        async with storage_at("http://127.0.0.1:1") as storage:
            await storage.stat(PATH)


async def test_credentials_are_read_from_the_files_of_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    file = tmp_path / "credentials"
    file.write_text(
        "[acme]\naws_access_key_id = AKIDOFFILE\naws_secret_access_key = s\naws_session_token = a token/+\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "acme")
    async with faulty_storage(FOUND) as (storage, received):
        assert await storage.stat(PATH) is not None
    assert b"X-Amz-Credential=AKIDOFFILE%2F" in received[0]
    assert b"X-Amz-Security-Token=a%20token%2F%2B&" in received[0]


async def test_every_call_uses_the_configured_proxy_and_no_endpoint_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    async with faulty_server(respond(500)) as (other, others), faulty_server(FOUND) as (proxy, proxied):
        for name, value in {
            "AWS_ENDPOINT_URL": other,
            "AWS_ENDPOINT_URL_S3": other,
            "no_proxy": "direct.invalid",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("https_proxy", proxy)
        async with storage_at("http://direct.invalid") as storage:
            assert "has a host name that this machine cannot resolve" in await error_of_stat(storage)
        for url, stat, write_mark in (
            ("s3://acme?endpoint=http://store.invalid", b"HEAD http://store.invalid", b"PUT http://store.invalid"),
            # A connection to AWS itself, which is encrypted.
            ("s3://acme?region=eu-central-1", *2 * (b"CONNECT acme.s3.eu-central-1.amazonaws.com:443",)),
        ):
            proxied.clear()
            async with open_s3(s3_location(url), utc_now, QUICK) as storage:
                for call, line in ((storage.stat(PATH), stat), (storage.write_mark("mine", replace=True), write_mark)):
                    with suppress(Unavailable):
                        await call
                    assert proxied[-1].startswith(line)
    assert others == []


async def test_a_certificate_is_trusted_only_by_aws_ca_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
