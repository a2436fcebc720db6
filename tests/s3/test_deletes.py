"""Deletes in a bucket: objects that the bucket refuses to delete, and old versions of the claim mark."""

import json
from dataclasses import replace

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import open_s3
from tests.contracts.s3_store import MARK, S3Store


async def test_a_locked_object_is_reported_and_the_others_are_deleted(plain: S3Store) -> None:
    client, bucket = plain.server.client, f"{plain.bucket}-locked"
    await client.create_bucket(Bucket=bucket)
    async with open_s3(s3_location(plain.server.url(bucket)), utc_now) as storage:
        store = replace(plain, storage=storage, bucket=bucket)
        locked, free, absent = (store.path(name) for name in ("locked", "free", "absent"))
        for path in (locked, free):
            await store.replace(path, b"kept")
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            "Resource": f"arn:aws:s3:::{bucket}/{locked}",
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        await client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        assert await storage.delete([locked, free, absent]) == [locked]
        assert [await storage.stat(path) is None for path in (locked, free)] == [False, True]
        await client.delete_bucket_policy(Bucket=bucket)
        assert await storage.delete([locked]) == []
        assert await storage.stat(locked) is None
    await client.delete_bucket(Bucket=bucket)


async def test_rewriting_the_mark_leaves_a_single_version(versioned: S3Store) -> None:
    for generation in range(4):
        await versioned.storage.write_mark(f"id {generation}", replace=generation > 0)
    assert await versioned.storage.read_mark() == "id 3"
    page = await versioned.server.client.list_object_versions(Bucket=versioned.bucket, Prefix=MARK)
    assert len(page["Versions"]) == 1
