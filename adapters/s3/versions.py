"""Listing and deleting the versions of objects."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.s3.failures import is_held
from ports.versions import OtherVersions

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

PAGE = 1000


async def delete_every_version(client: "S3Client", bucket: str, key: str) -> None:
    """Delete the object at exactly this object key, with all its versions and delete markers. Do nothing if it does
    not exist."""
    while True:
        page = await client.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=PAGE)
        listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        # A listing is ordered by object key. This one comes before every longer object key that begins with it.
        own = [version for version in listed if version["Key"] == key]
        for version in own:
            # In a bucket without versions, an object has the version "null", and this call deletes it too.
            await client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
        if not page.get("IsTruncated") or len(own) < len(listed):
            return


async def delete_older_versions(client: "S3Client", bucket: str, key: str) -> None:
    """Delete all versions at exactly this object key except the latest, up to the first that the store holds. This is
    for objects that are written often."""
    page = await client.list_object_versions(Bucket=bucket, Prefix=key)
    for version in page.get("Versions", ()):
        if version["Key"] == key and not version["IsLatest"]:
            try:
                await client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
            except ClientError as error:
                if not is_held(error):
                    raise
                # The object was written, which is all that its writer needs. A store that holds one version (Object
                # Lock) usually holds the older ones too, and this is called every few seconds.
                return


async def version_ids(client: "S3Client", bucket: str, key: str) -> AsyncIterator[str]:
    """Yield the ids of all versions at exactly this object key, the newest first, without delete markers."""
    position: dict[str, Any] = {}
    while True:
        page = await client.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=PAGE, **position)
        for version in page.get("Versions", ()):
            if version["Key"] == key:
                yield version["VersionId"]
        if not page.get("IsTruncated") or page["NextKeyMarker"] != key:
            return
        position = {"KeyMarker": key, "VersionIdMarker": page["NextVersionIdMarker"]}


async def replaced_keys(client: "S3Client", bucket: str, prefix: str) -> AsyncIterator[Sequence[str]]:
    """Yield each object key below the prefix that has more than the latest version, in pages. See `ObjectVersions`."""
    if not await _may_have_versions(client, bucket):
        return
    position: dict[str, Any] = {}
    while True:
        page = await client.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=PAGE, **position)
        keys = dict.fromkeys(version["Key"] for version in page.get("Versions", ()) if not version["IsLatest"])
        if keys:
            yield list(keys)
        if not page.get("IsTruncated"):
            return
        position = {"KeyMarker": page["NextKeyMarker"]}
        if page["NextKeyMarker"] not in keys:
            # This page has only the latest version of the last object key, so the next page begins with its second one.
            # In the other case, the next page begins after that object key, because the version with which its
            # listing would continue may be deleted by then.
            position["VersionIdMarker"] = page["NextVersionIdMarker"]


async def _may_have_versions(client: "S3Client", bucket: str) -> bool:
    try:
        return "Status" in await client.get_bucket_versioning(Bucket=bucket)
    except ClientError:
        # The store may deny or not support this call.
        return True


async def delete_other_versions(
    client: "S3Client", bucket: str, key: str, version_id: str, *, dry_run: bool
) -> OtherVersions:
    """Delete every version at exactly this object key but one, if the bucket has that one. See `ObjectVersions`."""
    found, has_kept = 0, False
    async for one in version_ids(client, bucket, key):
        found, has_kept = found + (one != version_id), has_kept or one == version_id
    if not has_kept:
        return OtherVersions(0)
    if dry_run or not found:
        return OtherVersions(found)
    are_held = False
    while True:
        # Always from the beginning: a listing cannot continue after a version that is deleted.
        page = await client.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=PAGE)
        deleted = 0
        for version in page.get("Versions", ()):
            if version["Key"] == key and version["VersionId"] != version_id:
                try:
                    await client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
                    deleted += 1
                except ClientError as error:
                    if not is_held(error):
                        raise
                    are_held = True
        if not deleted or not page.get("IsTruncated"):
            return OtherVersions(found, are_held)
