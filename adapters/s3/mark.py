"""The mark of a deployment: one small object of the bucket.

To write a first mark, so that one of several processes succeeds:

1. List the versions that are there, and read the mark. If there is one, the claim is lost.
2. Store the mark with `If-None-Match: *`. Many stores evaluate this condition before they store, and not together with
   it: then all uploads that begin at the same time are accepted (Ceph in a bucket with versions; rustfs#1659).
3. In a bucket with versions, list the versions again. The oldest new one wins, and every process sees the same order. A
   process that has lost deletes its own version, so that the latest is the winner's. If it crashes before, its mark
   stays the latest: the sweep of the winner then refuses the store, until an operator adopts it.
4. In a bucket without versions, wait a moment and read the mark: the last one that was stored wins. A competing upload
   that takes longer than this moment is not noticed here, but by the next sweep, which compares the mark.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.s3.failures import code_of
from adapters.s3.headers import version_of
from adapters.s3.versions import delete_older_versions, version_ids

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

MARK_KEY = ".dossier/deployment"
_MAX_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """Reads and writes the mark. Every method raises botocore's errors."""

    client: "S3Client"
    bucket: str
    settle_seconds: float

    async def read(self) -> str | None:
        """Return the latest mark; `None` if there is none."""
        try:
            found = await self.client.get_object(Bucket=self.bucket, Key=MARK_KEY)
            async with found["Body"] as body:
                return (await body.read(_MAX_BYTES)).decode(errors="replace").strip()
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise

    async def replace(self, text: str) -> None:
        """Store the mark, whether there is one or not."""
        await self._put(text)
        await delete_older_versions(self.client, self.bucket, MARK_KEY)

    async def claim(self, text: str) -> bool:
        """Store the first mark. Return `False` if there is another one now."""
        # If there is no mark to read after this listing, all of these are below a delete marker.
        dead = [version async for version in version_ids(self.client, self.bucket, MARK_KEY)]
        if await self.read() is not None:
            return False
        try:
            version = await self._put(text, IfNoneMatch="*")
        except ClientError as error:
            # AWS reports a conflict while another conditional write is under way: either way, the other one is first.
            if code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                return False
            raise
        if version is None:
            await asyncio.sleep(self.settle_seconds)
            return await self.read() == text
        new = [one async for one in version_ids(self.client, self.bucket, MARK_KEY) if one not in dead]
        if new[-1:] == [version]:
            return True
        await self.client.delete_object(Bucket=self.bucket, Key=MARK_KEY, VersionId=version)
        return False

    async def _put(self, text: str, **condition: Any) -> str | None:
        """Store the mark, and return its version; `None` if it has none that is safe from replacement."""
        stored = await self.client.put_object(
            Bucket=self.bucket, Key=MARK_KEY, Body=text.encode(), ContentType="text/plain", **condition
        )
        return version_of({"x-amz-version-id": stored.get("VersionId", "")})
