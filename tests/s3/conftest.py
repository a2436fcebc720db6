"""Fixtures for the tests on real buckets, and for those on servers that misbehave."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.s3_store import S3Store, s3_store
from tests.ministack import NO_CREDENTIALS, S3Bucket
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


@pytest.fixture
def unknown_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set credentials that no server knows, and no proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    given = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
    for name, value in {**NO_CREDENTIALS, **given}.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
