"""Deleting in a bucket: objects that the bucket keeps, and versions of the claim mark."""

import json

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import open_s3
from domain.paths import StoragePath
from tests.contracts.s3_store import MARK, s3_store
from tests.ministack import S3Bucket, S3Server, new_path


async def test_a_locked_object_is_reported_and_the_others_are_deleted(s3_server: S3Server) -> None:
    client, bucket = s3_server.client, f"{s3_server.plain}-locked"
    await client.create_bucket(Bucket=bucket)
    locked, free, absent = (new_path(name) for name in ("locked", "free", "absent"))
    for path in (locked, free):
        await client.put_object(Bucket=bucket, Key=path, Body=b"kept")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": f"arn:aws:s3:::{bucket}/{locked}",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    await client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    async with open_s3(s3_location(s3_server.url(bucket)), utc_now) as storage:

        async def stored(*paths: StoragePath) -> list[bool]:
            return [await storage.stat(path) is not None for path in paths]

        assert await storage.delete([locked, free, absent]) == [locked]
        assert await stored(locked, free) == [True, False]
        await client.delete_bucket_policy(Bucket=bucket)
        assert await storage.delete([locked]) == []
        assert await stored(locked) == [False]
    await client.delete_bucket(Bucket=bucket)


async def test_rewriting_the_mark_leaves_a_single_version(s3_versioned: S3Bucket) -> None:
    async with s3_store(s3_versioned) as store:
        for generation in range(4):
            await store.storage.write_mark(f"id {generation}", replace=generation > 0)
        assert await store.storage.read_mark() == "id 3"
        page = await store.server.client.list_object_versions(Bucket=store.bucket, Prefix=MARK)
        assert len(page["Versions"]) == 1
