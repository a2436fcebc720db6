"""Fixtures for the tests on real buckets, and for those on servers that misbehave."""

from collections.abc import AsyncIterator

import pytest

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.sending import Timeouts
from adapters.s3.storage import open_s3
from tests.contracts.s3_store import S3Store, s3_store
from tests.ministack import NO_CREDENTIALS, S3Bucket, S3Server
from tests.s3.faulty import SECRET


@pytest.fixture
async def plain(s3_plain: S3Bucket) -> AsyncIterator[S3Store]:
    """Open the bucket without versions, empty."""
    async with s3_store(s3_plain) as store:
        yield store


@pytest.fixture
async def versioned(s3_versioned: S3Bucket) -> AsyncIterator[S3Store]:
    """Open the bucket with versions, empty."""
    async with s3_store(s3_versioned) as store:
        yield store


@pytest.fixture(params=["plain", "versioned"])
async def racing(request: pytest.FixtureRequest, s3_server: S3Server) -> AsyncIterator[S3Store]:
    """Open a bucket that accepts all uploads that begin at the same time: without versions, and with them."""
    if s3_server.iam is None:
        pytest.skip("S3_TEST_ENDPOINT is set: whether uploads race there is not known")
    name, is_versioned = f"dossier-racing-{request.param}", request.param == "versioned"
    await s3_server.client.create_bucket(Bucket=name)
    if is_versioned:
        await s3_server.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    async with (
        open_s3(s3_location(s3_server.url(name)), utc_now, Timeouts(settle_seconds=0.5)) as storage,
        s3_store(S3Bucket(server=s3_server, name=name, is_versioned=is_versioned, storage=storage)) as store,
    ):
        yield store
        await store.empty()
    await s3_server.client.delete_bucket(Bucket=name)


@pytest.fixture
def unknown_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set credentials that no server knows, and no proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    given = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
    for name, value in {**NO_CREDENTIALS, **given}.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
