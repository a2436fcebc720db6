"""All that a bucket keeps of one key."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def delete_every_version(client: "S3Client", bucket: str, key: str) -> None:
    """Delete what lies at exactly this key, and every version and delete marker of it; nothing, where nothing lies."""
    more: dict[str, Any] = {}
    while True:
        page = await client.list_object_versions(Bucket=bucket, Prefix=key, **more)
        listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        for version in listed:
            if version["Key"] == key:
                # Where a bucket has no versions, the one there is called "null": that deletes it, in every bucket.
                await client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
        # Keys come in order, and this one is the least of those that it is a prefix of.
        if not page.get("IsTruncated") or any(version["Key"] != key for version in listed):
            return
        more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


async def delete_older_versions(client: "S3Client", bucket: str, key: str) -> None:
    """Delete all of exactly this key but what lies there now: for what is written again and again."""
    page = await client.list_object_versions(Bucket=bucket, Prefix=key)
    for version in page.get("Versions", ()):
        if version["Key"] == key and not version["IsLatest"]:
            await client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
