"""Deletes in a bucket: objects that the bucket refuses to delete, and versions of objects and of the claim mark."""

import asyncio
import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from adapters.in_process.system import utc_now
from adapters.s3.failures import is_held, is_locked
from adapters.s3.location import s3_location
from adapters.s3.sending import Timeouts
from adapters.s3.storage import open_s3
from ports.versions import OtherVersions
from tests.contracts.s3_store import MARK, S3Store
from tests.ministack import S3Server
from tests.s3.test_checks import retain


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


@pytest.mark.parametrize("page", [2, 3, 1000])
async def test_versions_are_found_and_deleted_however_long_a_page_is(
    page: int, versioned: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.s3.versions.PAGE", page)
    versions = {"a": 1, "b": 4, "b/c": 2, "d": 1, "e": 3}
    for name, number in versions.items():
        for _ in range(number):
            await versioned.replace(versioned.path(name), b"x")
    kept = (await versioned.stored("b")).version_id
    assert kept
    storage, found = versioned.storage, list[str]()
    async for keys in storage.list_replaced(versioned.prefix):
        found += keys
        if versioned.path("b") in keys:
            for dry_run, number in ((True, 3), (False, 3), (False, 0)):
                others = await storage.delete_other_versions(versioned.path("b"), kept, dry_run=dry_run)
                assert others == OtherVersions(number)
            assert await storage.delete_other_versions(versioned.path("b/c"), kept, dry_run=False) == OtherVersions(0)
    assert found == [versioned.path(name) for name, number in versions.items() if number > 1]
    assert (await versioned.stored("b")).version_id == kept
    await storage.delete([versioned.path(name) for name in ("a", "b", "e")])
    assert [await storage.stat(versioned.path(name)) is None for name in versions] == [True, True, False, False, True]
    assert [key async for keys in storage.list_replaced(versioned.prefix) for key in keys] == [versioned.path("b/c")]


async def test_a_version_that_the_store_holds_is_reported(versioned: S3Store) -> None:
    client, bucket, path = versioned.server.client, versioned.bucket, versioned.path()
    await versioned.replace(path, b"recorded")
    recorded = (await versioned.stored()).version_id or ""
    await versioned.replace(path, b"other")
    before = await client.get_bucket_policy(Bucket=bucket)
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObjectVersion"}
    policy = {"Version": "2012-10-17", "Statement": [{**denied, "Resource": f"arn:aws:s3:::{bucket}/{path}"}]}
    await client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        others = await versioned.storage.delete_other_versions(path, recorded, dry_run=False)
        assert others == OtherVersions(1, are_held=True)
    finally:
        await client.put_bucket_policy(Bucket=bucket, Policy=before["Policy"])
    assert await versioned.storage.delete_other_versions(path, recorded, dry_run=False) == OtherVersions(1)


async def test_a_mark_whose_older_versions_are_locked_can_still_be_replaced(s3_server: S3Server) -> None:
    bucket = f"{s3_server.plain}-locked-marks"
    await s3_server.client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    await retain(s3_server.client, bucket, {"Mode": "GOVERNANCE", "Days": 1})
    async with open_s3(s3_location(s3_server.url(bucket)), utc_now, Timeouts(settle_seconds=0)) as storage:
        assert await storage.write_mark("first", replace=False)
        for mark in ("second", "third"):
            await storage.write_mark(mark, replace=True)
        assert await storage.read_mark() == "third"


@pytest.mark.parametrize(
    ("code", "message", "is_a_lock"),
    [
        ("AccessDenied", "Access Denied because object protected by object lock.", True),
        ("AccessDenied", "forbidden by object lock", True),
        ("InvalidRequest", "Object is WORM protected and cannot be overwritten", True),
        ("AccessDenied", "Access Denied", False),
    ],
    ids=["AWS", "Ceph", "MinIO", "a missing right"],
)
def test_a_locked_object_is_held_whatever_the_store_answers(code: str, message: str, is_a_lock: bool) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "DeleteObject")
    assert is_held(error)
    assert is_locked(error) == is_a_lock
    assert not is_held(ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "DeleteObject"))


async def test_of_many_first_marks_at_once_one_is_written_even_if_the_store_accepts_them_all(racing: S3Store) -> None:
    marks = [f"mark {number}" for number in range(8)]
    written = await asyncio.gather(*(racing.storage.write_mark(mark, replace=False) for mark in marks))
    assert written.count(True) == 1
    assert await racing.storage.read_mark() == marks[written.index(True)]
    page = await racing.server.client.list_object_versions(Bucket=racing.bucket, Prefix=MARK)
    assert len(page["Versions"]) == 1


async def test_a_bucket_whose_mark_was_deleted_can_be_claimed_anew(versioned: S3Store) -> None:
    assert await versioned.storage.write_mark("first", replace=False)
    await versioned.server.client.delete_object(Bucket=versioned.bucket, Key=MARK)
    assert await versioned.storage.read_mark() is None
    assert await versioned.storage.write_mark("second", replace=False)
    assert await versioned.storage.read_mark() == "second"
