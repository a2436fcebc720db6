"""Deleting the versions of an object."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def delete_every_version(client: "S3Client", bucket: str, key: str) -> None:
    """Delete the object at exactly this key, with all its versions and delete markers. Do nothing if it does not
    exist."""
    more: dict[str, Any] = {}
    while True:
        page = await client.list_object_versions(Bucket=bucket, Prefix=key, **more)
        listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        for version in listed:
            if version["Key"] == key:
                # In a bucket without versions, an object has the version "null", and this call deletes it too.
                await client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
        # A listing is ordered by key, and this key comes before every longer key that begins with it.
        if not page.get("IsTruncated") or any(version["Key"] != key for version in listed):
            return
        more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


async def delete_older_versions(client: "S3Client", bucket: str, key: str) -> None:
    """Delete all versions of exactly this key except the latest. This is for objects that are written again and
    again."""
    page = await client.list_object_versions(Bucket=bucket, Prefix=key)
    for version in page.get("Versions", ()):
        if version["Key"] == key and not version["IsLatest"]:
            await client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
