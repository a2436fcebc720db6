"""What the sweeper takes away, and what the bucket does not give up."""

import json

from adapters.in_process.system import Ulids, utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import open_s3
from domain.ids import WorkspaceId
from domain.paths import StoragePath, workspace_prefix
from tests.contracts.s3_store import MARK, s3_store
from tests.ministack import S3Bucket, S3Server


async def test_what_the_bucket_does_not_give_up_comes_back_and_the_rest_is_deleted(s3_server: S3Server) -> None:
    client, bucket = s3_server.client, f"{s3_server.plain}-locked"
    await client.create_bucket(Bucket=bucket)
    prefix = workspace_prefix(WorkspaceId("ws_" + Ulids()(utc_now())))
    locked, free, absent = (StoragePath(f"{prefix}documents/{name}") for name in ("locked", "free", "absent"))
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
        assert await storage.delete([locked, free, absent]) == [locked]
        assert await storage.stat(locked) is not None
        assert await storage.stat(free) is None
        await client.delete_bucket_policy(Bucket=bucket)
        assert await storage.delete([locked]) == []
        assert await storage.stat(locked) is None
    await client.delete_bucket(Bucket=bucket)


async def test_a_mark_that_is_written_again_and_again_leaves_no_versions_behind(s3_versioned: S3Bucket) -> None:
    async with s3_store(s3_versioned) as store:
        for turn in range(4):
            await store.storage.write_mark(f"id {turn}", replace=turn > 0)
        assert await store.storage.read_mark() == "id 3"
        page = await store.server.client.list_object_versions(Bucket=store.bucket, Prefix=MARK)
        assert len(page["Versions"]) == 1
