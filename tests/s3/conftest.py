"""Fixtures for the tests on real buckets."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.s3_store import S3Store, s3_store
from tests.ministack import S3Bucket


@pytest.fixture
async def plain(s3_plain: S3Bucket) -> AsyncIterator[S3Store]:
    """The bucket without versions, empty."""
    async with s3_store(s3_plain) as store:
        yield store


@pytest.fixture
async def versioned(s3_versioned: S3Bucket) -> AsyncIterator[S3Store]:
    """The bucket with versions, empty."""
    async with s3_store(s3_versioned) as store:
        yield store
