"""An S3 bucket as a `Store`: ministack's, or one of the server that `S3_TEST_ENDPOINT` names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from adapters.s3.storage import S3Storage
from domain.paths import StoragePath
from tests.acceptance.client import TLS
from tests.contracts.stores import TYPE, Store
from tests.ministack import S3Bucket, S3Server

_OURS = ".dossier/"
MARK = _OURS + "deployment"


@dataclass
class S3Store(Store):
    storage: S3Storage
    page_limit = "adapters.s3.storage._PAGE"
    server: S3Server
    bucket: str

    async def replace(self, path: StoragePath, content: bytes | None) -> None:
        if content is None:
            await self.server.client.delete_object(Bucket=self.bucket, Key=path)
        else:
            await self.server.client.put_object(Bucket=self.bucket, Key=path, Body=content, ContentType=TYPE)

    async def restore_copy(self, path: StoragePath) -> None:
        found = await self.server.client.get_object(Bucket=self.bucket, Key=path)
        async with found["Body"] as body:
            content = await body.read()
        # Otherwise the recorded version would still exist beside its copy.
        await self.storage.delete([path])
        await self.replace(path, content)

    async def leave_unfinished(self, path: StoragePath) -> None:
        client = self.server.client
        begun = await client.create_multipart_upload(Bucket=self.bucket, Key=path)
        await client.upload_part(
            Bucket=self.bucket, Key=path, UploadId=begun["UploadId"], PartNumber=1, Body=b"x" * 2**20
        )

    async def count_leftovers(self) -> int:
        client = self.server.client
        uploads = (await client.list_multipart_uploads(Bucket=self.bucket)).get("Uploads", [])
        versions = await client.list_object_versions(Bucket=self.bucket, Prefix=_OURS)
        ours = [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]
        return len(uploads) + sum(1 for version in ours if version["Key"] != MARK)

    async def empty(self) -> None:
        """Delete what other tests left, in all versions."""
        client = self.server.client
        for upload in (await client.list_multipart_uploads(Bucket=self.bucket)).get("Uploads", []):
            await client.abort_multipart_upload(Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        while found := await self._versions():
            await asyncio.gather(
                *(client.delete_object(Bucket=self.bucket, Key=key, VersionId=version) for key, version in found)
            )

    async def _versions(self) -> list[tuple[str, str]]:
        page = await self.server.client.list_object_versions(Bucket=self.bucket)
        return [(one["Key"], one["VersionId"]) for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]]


@asynccontextmanager
async def s3_store(bucket: S3Bucket) -> AsyncIterator[S3Store]:
    """Open the bucket, empty."""
    async with httpx.AsyncClient(verify=TLS) as http:
        store = S3Store(bucket.storage, http, bucket.server, bucket.name, keeps_versions=bucket.is_versioned)
        await store.empty()
        yield store
