"""The checks of `dossier doctor`. Each passes on a strict store, and reports a store that does not enforce what it
checks."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import S3Storage, open_s3
from ports.checks import CheckResult, Grade
from ports.system import Unavailable
from tests.contracts.s3_store import S3Store
from tests.ministack import CORS, PERMISSIONS, S3Server, make_user
from tests.s3 import lax
from tests.s3.lax import Request, Rule, accepts, change_header, changes, lax_server

CHECKS = {
    "bucket", "signatures", "expiry", "overwrite", "races", "unsigned headers", "upload terms", "checksum", "downloads",
    "stored headers", "versions", "clock", "CORS",
}  # fmt: skip
OK, DEGRADED, FAILED = Grade.OK, Grade.DEGRADED, Grade.FAILED


@asynccontextmanager
async def behind(store: S3Store, rule: Rule) -> AsyncIterator[S3Storage]:
    """Open the adapter on a bucket behind a proxy that breaks one rule."""
    async with (
        lax_server(store.server, rule) as endpoint,
        open_s3(s3_location(store.server.url(store.bucket, endpoint=endpoint)), utc_now) as storage,
    ):
        yield storage


async def retain(client: Any, bucket: str, retention: dict[str, object] | None) -> None:
    """Set or remove the default retention of a bucket with Object Lock."""
    rule = {"Rule": {"DefaultRetention": retention}} if retention else {}
    await client.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule}
    )


async def result_of(storage: S3Storage, check: str) -> CheckResult:
    (result,) = [result for result in await storage.run_checks() if result.check == check]
    return result


async def test_a_strict_store_passes_every_check_and_nothing_is_left_in_it(plain: S3Store, versioned: S3Store) -> None:
    for store, expected in ((plain, {"CORS", "versions"}), (versioned, {"CORS"})):
        results = await store.storage.run_checks()
        assert {result.check for result in results} == CHECKS
        # Without `iam`, the server may be Ceph, where uploads race in a bucket with versions.
        tolerated = {"races"} if store.server.iam is None and store.keeps_versions else set()
        assert {result.check for result in results if result.grade is not OK} - tolerated == expected
        await store.storage.prepare()
        assert await store.count_leftovers() == 0


def has_changed_signature(request: Request) -> bool:
    return bool(request.signed) and not request.has_expired and request.body == b"what dossier tries out"


def lacks(header: str) -> Callable[[Request], bool]:
    return lambda request: header in request.signed and header not in {name.lower() for name in request.headers}


def sends(header: str) -> Callable[[Request], bool]:
    return lambda request: header in request.headers


def on_head(name: str, value: str | None) -> Rule:
    """Change a header of the responses to HEAD; leave it out if `value` is `None`."""
    return changes(lambda request: request.is_head, lambda response: change_header(response, name, value))


def on_download(name: str, value: str | None) -> Rule:
    """Change a header of downloads in the same way."""
    return changes(lambda request: request.is_download, lambda response: change_header(response, name, value))


def returning(status: int, body: bytes) -> Rule:
    """Change the status and the bytes of downloads."""

    def change(response: web.Response) -> None:
        response.set_status(status)
        response.body = body

    return changes(lambda request: request.is_download, change)


OTHER_SHA256 = "BOH01ATb/0KKZEYvHKEXD8W6RPc+QIazXa7UslXoPos="
IGNORES_CHECKSUM = accepts(sends("x-amz-checksum-sha256"))
REPEATS_CHECKSUM = on_head("x-amz-checksum-sha256", OTHER_SHA256)


async def ignores_and_repeats_checksum(request: Request) -> web.Response | None:
    return await IGNORES_CHECKSUM(request) or await REPEATS_CHECKSUM(request)


ESSENTIAL: dict[str, tuple[Rule, str, Grade, str]] = {
    "changed URL": (accepts(has_changed_signature), "signatures", FAILED, "a changed signature, a URL changed to"),
    "unsigned upload": (accepts(lambda request: not request.query), "signatures", FAILED, "uploads without a"),
    "public bucket": (lax.is_public, "signatures", FAILED, "downloads without a signature"),
    "expired": (accepts(lambda request: request.has_expired), "expiry", FAILED, "URLs that have expired"),
    "condition omitted": (
        accepts(lacks("if-none-match")), "overwrite", DEGRADED,
        "accepts an upload without the If-None-Match that was signed",
    ),
    "condition ignored": (
        accepts(lambda request: request.body == b"what must not be there"), "overwrite", DEGRADED,
        "replaces an object in spite of If-None-Match",
    ),
}  # fmt: skip
"""For each violation: the check that reports it, the grade on a bucket with versions, and the text. Without versions,
the grade is failed."""


@pytest.mark.parametrize(("rule", "check", "grade", "words"), ESSENTIAL.values(), ids=ESSENTIAL)
async def test_a_store_that_fails_an_essential_check_is_not_used(
    rule: Rule, check: str, grade: Grade, words: str, plain: S3Store, versioned: S3Store
) -> None:
    for store, expected in ((plain, FAILED), (versioned, grade)):
        async with behind(store, rule) as storage:
            result = await result_of(storage, check)
            assert (result.grade, words in result.found) == (expected, True), result
            if expected is FAILED:
                with pytest.raises(Unavailable, match="cannot keep what Dossier promises") as caught:
                    await storage.prepare()
                assert words in str(caught.value)
            else:
                await storage.prepare()
        assert await store.count_leftovers() == 0


OTHERS: dict[str, tuple[Rule, str, Grade, str]] = {
    "copies": (lax.copies, "unsigned headers", FAILED, "CVE-2026-54330"),
    "ignores copy": (accepts(sends("x-amz-copy-source")), "unsigned headers", OK, "is ignored"),
    "publishes": (lax.publishes, "unsigned headers", FAILED, "makes its object public"),
    "redirects": (lax.keeps_redirect, "unsigned headers", DEGRADED, "keeps x-amz-… headers that were not signed"),
    "no races": (lax.refuses(lambda request: request.body[-1:].isdigit(), 503), "races", DEGRADED, "not tried"),
    "length": (accepts(lambda request: len(request.body) == 23), "upload terms", DEGRADED, "another length than"),
    "type": (
        accepts(lambda request: request.headers.get("Content-Type") == "text/html"), "upload terms", DEGRADED,
        "another type than",
    ),
    "checksum ignored": (IGNORES_CHECKSUM, "checksum", DEGRADED, "is not compared with the bytes"),
    "checksum lost": (on_head("x-amz-checksum-sha256", None), "checksum", DEGRADED, "but not kept"),
    "checksum repeated": (
        ignores_and_repeats_checksum, "checksum", FAILED, "confirms a SHA-256 that the bytes do not have",
    ),
    "no name": (on_download("Content-Disposition", None), "downloads", FAILED, "signed Content-D"),
    "own type": (on_download("Content-Type", "text/html"), "downloads", FAILED, "signed Content-T"),
    "other bytes": (returning(200, b"other"), "downloads", FAILED, "did not return the bytes"),
    "encoding kept": (
        on_download("Content-Encoding", "gzip"), "stored headers", DEGRADED, "so no document is recorded with one",
    ),
    "encoding hidden": (lax.hides_encoding, "stored headers", FAILED, "Dossier cannot see it"),
    "encoding refused": (lax.refuses(sends("Content-Encoding")), "stored headers", OK, "are refused"),
    "cached": (on_download("Cache-Control", "public"), "stored headers", DEGRADED, "lack the signed Cache-Control"),
    "no ranges": (lax.forwards(Range=""), "downloads", DEGRADED, "ranges are not supported"),
    "fast clock": (on_head("Date", lax.AN_HOUR_AHEAD), "clock", DEGRADED, "differs from"),
    "no clock": (on_head("Date", "soon"), "clock", DEGRADED, "does not report its time"),
    "versions lost": (
        on_head("x-amz-version-id", None), "versions", DEGRADED, "reported as enabled, but objects have no versions",
    ),
    "store fails": (returning(503, b""), "bucket", FAILED, "with status 503"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "check", "grade", "words"), OTHERS.values(), ids=OTHERS)
async def test_each_rule_that_a_store_breaks_is_reported_by_the_check_of_that_rule(
    rule: Rule, check: str, grade: Grade, words: str, versioned: S3Store
) -> None:
    async with behind(versioned, rule) as storage:
        results = [result for result in await storage.run_checks() if result.check == check]
        assert (results[-1].grade, words in results[-1].found) == (grade, True), results
        assert "\n" not in results[-1].found
    assert await versioned.count_leftovers() == 0


async def test_a_store_that_accepts_several_uploads_at_once_is_reported(racing: S3Store) -> None:
    results = {result.check: result for result in await racing.storage.run_checks()}
    assert results["overwrite"].grade is OK
    expected, words = (DEGRADED, "deletes the others") if racing.keeps_versions else (FAILED, "enable versions")
    assert (results["races"].grade, words in results["races"].found) == (expected, True), results["races"]
    assert await racing.count_leftovers() == 0


async def test_suspended_versions_are_reported_and_a_mark_can_still_be_replaced(s3_server: S3Server) -> None:
    client, bucket = s3_server.client, f"{s3_server.plain}-suspended"
    await client.create_bucket(Bucket=bucket)
    for status in ("Enabled", "Suspended"):
        await client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    async with open_s3(s3_location(s3_server.url(bucket)), utc_now) as storage:
        result = await result_of(storage, "versions")
        assert (result.grade, result.found.partition(":")[0]) == (DEGRADED, "suspended")
        await storage.write_mark("first", replace=False)
        await storage.write_mark("second", replace=True)
        assert await storage.read_mark() == "second"


@pytest.mark.parametrize("is_readable", [True, False], ids=["readable", "denied"])
async def test_a_bucket_that_locks_new_objects_is_refused_in_words(is_readable: bool, s3_server: S3Server) -> None:
    client, bucket = s3_server.client, f"{s3_server.plain}-retention-{is_readable}".lower()
    await client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    await retain(client, bucket, {"Mode": "COMPLIANCE", "Days": 30})
    if not is_readable:
        denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetBucketObjectLockConfiguration"}
        policy = {"Version": "2012-10-17", "Statement": [{**denied, "Resource": f"arn:aws:s3:::{bucket}"}]}
        await client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    words = "default retention (COMPLIANCE, 30 days)" if is_readable else "cannot be deleted (Object Lock)"
    async with open_s3(s3_location(s3_server.url(bucket)), utc_now) as storage:
        with pytest.raises(Unavailable) as raised:
            await storage.prepare()
        (result,) = await storage.run_checks()
        for found in (str(raised.value), result.found):
            assert words in found
            assert "ObjectLockEnabled=Enabled" in found
        assert (result.check, result.grade) == ("bucket", FAILED)
        if is_readable:
            assert not (await client.list_object_versions(Bucket=bucket)).get("Versions")
            # Object Lock without a default retention is allowed.
            await retain(client, bucket, None)
            await storage.prepare()
            assert FAILED not in {result.grade for result in await storage.run_checks()}


async def test_the_reported_cors_rule_lets_pages_upload_and_a_weaker_one_is_reported(plain: S3Store) -> None:
    client, bucket = plain.server.client, plain.bucket
    reported = await result_of(plain.storage, "CORS")
    assert json.loads(reported.found[reported.found.index("{") :]) == CORS
    (rule,) = CORS["CORSRules"]
    try:
        for change, grade in (
            ({}, OK),
            ({"AllowedMethods": ["GET"]}, DEGRADED),
            ({"AllowedOrigins": ["https://acme.example"]}, DEGRADED),
            ({"AllowedHeaders": ["content-type"]}, DEGRADED),
        ):
            rules: Any = {"CORSRules": [{**rule, **change}]}
            await client.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
            assert (await result_of(plain.storage, "CORS")).grade is grade, change
    finally:
        await client.delete_bucket_cors(Bucket=bucket)


@pytest.mark.parametrize(
    ("rule", "grade", "words"),
    [
        (lax.forwards(), OK, "URLs for clients work at"),
        (lax.forwards(Host="internal"), FAILED, "pass Host on unchanged"),
        (None, DEGRADED, "not reachable from this machine"),
    ],
    ids=["reached", "other Host", "unreachable"],
)
async def test_the_public_address_is_checked(rule: Rule | None, grade: Grade, words: str, s3_server: S3Server) -> None:
    async with lax_server(s3_server, rule or lax.forwards()) as reached:
        public = reached if rule else "http://files.invalid"
        async with open_s3(s3_location(s3_server.url(s3_server.plain, public_endpoint=public)), utc_now) as storage:
            result = await result_of(storage, "public address")
            assert (result.grade, words in result.found) == (grade, True), result
            await storage.prepare()


DOCUMENTED = [action for statement in PERMISSIONS["Statement"] for action in statement["Action"]]
# Some stores require the first for a version called "null". The others only make messages more precise.
NOT_NEEDED = {"s3:DeleteObject", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"}


@pytest.mark.parametrize("missing", [None, *DOCUMENTED])
async def test_the_documented_permissions_suffice_and_each_missing_one_is_named(
    missing: str | None, versioned: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, bucket = versioned.server, versioned.bucket
    if server.iam is None:
        pytest.skip("S3_TEST_ENDPOINT is set: its server has no IAM in which to create users")
    statement = {
        "Effect": "Allow",
        "Action": [action for action in DOCUMENTED if action != missing],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    access_key, secret_key = await make_user(server.iam, f"lacks-{missing}".replace(":", "-"), statement)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
    async with open_s3(s3_location(server.url(bucket)), utc_now) as storage:
        results = await storage.run_checks()
    if missing is None or missing in NOT_NEEDED:
        assert {result.check for result in results} == CHECKS
        assert FAILED not in {result.grade for result in results}
    else:
        (result,) = results
        assert (result.check, result.grade, missing in result.found) == ("bucket", FAILED, True), result
