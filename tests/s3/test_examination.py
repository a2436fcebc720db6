"""What `dossier doctor` finds: each line is said of a store that keeps the promise, and of one that does not."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import S3Storage, open_s3
from domain.paths import StoragePath
from ports.checks import CheckResult, Grade
from ports.system import Unavailable
from tests.ministack import S3Bucket, S3Server, make_user
from tests.s3 import lax
from tests.s3.lax import Passed, Rule, answers_with, lax_server, lets_pass, with_header, without_header

CHECKS = {
    "bucket", "signatures", "expiry", "overwrite", "unsigned headers", "upload terms", "checksum", "downloads",
    "versions", "clock", "CORS",
}  # fmt: skip
OK, DEGRADED, FAILED = Grade.OK, Grade.DEGRADED, Grade.FAILED


@asynccontextmanager
async def behind(server: S3Server, bucket: str, rule: Rule, **more: str) -> AsyncIterator[S3Storage]:
    """The adapter on a bucket that is reached through a server which is not strict in one thing."""
    async with (
        lax_server(server, rule) as endpoint,
        open_s3(s3_location(server.url(bucket, **{"endpoint": endpoint, **more})), utc_now) as storage,
    ):
        yield storage


async def left(server: S3Server, bucket: str) -> Sequence[str]:
    """What an examination has left in the bucket."""
    found = await server.client.list_object_versions(Bucket=bucket, Prefix=".dossier/probe-")
    uploads = await server.client.list_multipart_uploads(Bucket=bucket, Prefix=".dossier/probe-")
    return [one["Key"] for one in [*found.get("Versions", []), *uploads.get("Uploads", [])]]


def one(findings: Sequence[CheckResult], check: str) -> CheckResult:
    (finding,) = [finding for finding in findings if finding.check == check]
    return finding


async def test_a_strict_store_keeps_every_promise(s3_versioned: S3Bucket, s3_plain: S3Bucket) -> None:
    for bucket in (s3_versioned, s3_plain):
        findings = await bucket.storage.run_checks()
        assert {finding.check for finding in findings} == CHECKS
        weak = {finding.check for finding in findings if finding.grade is not OK}
        assert weak == ({"CORS"} if bucket.is_versioned else {"CORS", "versions"})
        assert await left(bucket.server, bucket.name) == []
        await bucket.storage.prepare()
        assert await left(bucket.server, bucket.name) == []


def wrongly_signed(passed: Passed) -> bool:
    return bool(passed.signed) and not lax.has_expired(passed) and passed.body == b"what dossier tries out"


def is_head(passed: Passed) -> bool:
    return passed.method == "HEAD" and "Authorization" not in passed.headers


def is_download(passed: Passed) -> bool:
    return passed.method == "GET" and "response-content-type" in passed.query


def lacks(header: str) -> Callable[[Passed], bool]:
    return lambda passed: header in passed.signed and header not in {name.lower() for name in passed.headers}


CLAIMED = "BOH01ATb/0KKZEYvHKEXD8W6RPc+QIazXa7UslXoPos="

ESSENTIAL: list[tuple[str, Rule, str, Grade, Grade, str]] = [
    ("changed", lets_pass(wrongly_signed), "signatures", FAILED, FAILED, "a changed signature, a URL changed to"),
    ("unsigned", lets_pass(lambda passed: not passed.query), "signatures", FAILED, FAILED, "uploads without a"),
    ("public", lax.gives_to_anybody, "signatures", FAILED, FAILED, "downloads without a signature"),
    ("expired", lets_pass(lax.has_expired), "expiry", FAILED, FAILED, "URLs that have expired"),
    (
        "condition left out", lets_pass(lacks("if-none-match")), "overwrite", FAILED, DEGRADED,
        "accepts an upload without the If-None-Match that was signed",
    ),
    (
        "condition ignored", lets_pass(lambda passed: passed.body == b"what must not be there"), "overwrite", FAILED,
        DEGRADED, "replaces an object in spite of If-None-Match",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "check", "plain", "versioned", "words"),
    [case[1:] for case in ESSENTIAL],
    ids=[case[0] for case in ESSENTIAL],
)
async def test_without_what_is_essential_nothing_starts(
    rule: Rule, check: str, plain: Grade, versioned: Grade, words: str, s3_server: S3Server
) -> None:
    for bucket, grade in ((s3_server.plain, plain), (s3_server.versioned, versioned)):
        async with behind(s3_server, bucket, rule) as storage:
            finding = one(await storage.run_checks(), check)
            assert (finding.grade, words in finding.found) == (grade, True), finding
            if grade is FAILED:
                with pytest.raises(Unavailable, match="cannot keep what Dossier promises") as caught:
                    await storage.prepare()
                assert words in str(caught.value)
            else:
                await storage.prepare()
        assert await left(s3_server, bucket) == []


OTHERS: list[tuple[str, Rule, str, Grade, str]] = [
    ("copies", lax.copies, "unsigned headers", FAILED, "CVE-2026-54330"),
    (
        "no copies", lets_pass(lambda passed: "x-amz-copy-source" in passed.headers), "unsigned headers", OK,
        "is ignored",
    ),
    ("length", lets_pass(lambda passed: len(passed.body) == 23), "upload terms", DEGRADED, "another length than"),
    (
        "type", lets_pass(lambda passed: passed.headers.get("Content-Type") == "text/html"), "upload terms", DEGRADED,
        "another type than",
    ),
    (
        "checksum ignored", lets_pass(lambda passed: "x-amz-checksum-sha256" in passed.headers), "checksum", DEGRADED,
        "is not compared with the bytes",
    ),
    (
        "checksum lost", answers_with(is_head, without_header("x-amz-checksum-sha256")), "checksum", DEGRADED,
        "but not kept",
    ),
    ("no name", answers_with(is_download, without_header("content-disposition")), "downloads", FAILED, "lack the"),
    ("own type", answers_with(is_download, with_header("Content-Type", "text/html")), "downloads", FAILED, "Type"),
    (
        "other bytes", answers_with(is_download, lambda answered: (200, answered[1], b"other")), "downloads", FAILED,
        "did not return the bytes",
    ),
    ("no ranges", lax.ignores_range, "downloads", DEGRADED, "ranges are not supported"),
    ("fast clock", answers_with(is_head, with_header("Date", lax.AN_HOUR_AHEAD)), "clock", DEGRADED, "differs from"),
    ("no clock", answers_with(is_head, with_header("Date", "soon")), "clock", DEGRADED, "does not report its time"),
    (
        "lost versions", answers_with(is_head, without_header("x-amz-version-id")), "versions", DEGRADED,
        "reported as enabled, but objects have no versions",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "check", "grade", "words"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS]
)
async def test_what_a_store_does_not_keep_is_told(
    rule: Rule, check: str, grade: Grade, words: str, s3_server: S3Server
) -> None:
    async with behind(s3_server, s3_server.versioned, rule) as storage:
        finding = one(await storage.run_checks(), check)
        assert (finding.grade, words in finding.found) == (grade, True), finding
        assert "\n" not in finding.found
    assert await left(s3_server, s3_server.versioned) == []


async def test_a_checksum_that_the_store_only_repeats_is_worse_than_none(s3_server: S3Server) -> None:
    ignored = lets_pass(lambda passed: "x-amz-checksum-sha256" in passed.headers)
    repeated = answers_with(is_head, with_header("x-amz-checksum-sha256", CLAIMED))

    async def rule(passed: Passed, forward: lax.Forward) -> lax.Answer:
        return await ignored(passed, forward) or await repeated(passed, forward)

    async with behind(s3_server, s3_server.plain, rule) as storage:
        finding = one(await storage.run_checks(), "checksum")
    assert (finding.grade, finding.found) == (FAILED, "the store confirms a SHA-256 that the bytes do not have")


async def test_versions_that_are_suspended_protect_nothing(s3_server: S3Server) -> None:
    client, bucket = s3_server.client, f"{s3_server.plain}-suspended"
    await client.create_bucket(Bucket=bucket)
    for status in ("Enabled", "Suspended"):
        await client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    async with open_s3(s3_location(s3_server.url(bucket)), utc_now) as storage:
        finding = one(await storage.run_checks(), "versions")
        assert finding == CheckResult(
            "versions", DEGRADED, "suspended: downloads are issued only while the bytes have the recorded ETag"
        )
        await storage.write_mark("first", replace=False)
        await storage.write_mark("second", replace=True)
        assert await storage.read_mark() == "second"
    assert await left(s3_server, bucket) == []


async def test_the_rule_that_is_printed_lets_pages_upload(s3_plain: S3Bucket) -> None:
    client, bucket = s3_plain.server.client, s3_plain.name
    finding = one(await s3_plain.storage.run_checks(), "CORS")
    assert finding.grade is DEGRADED
    printed = json.loads(finding.found[finding.found.index("{") :])
    await client.put_bucket_cors(Bucket=bucket, CORSConfiguration=printed)
    try:
        finding = one(await s3_plain.storage.run_checks(), "CORS")
        assert finding.grade is OK, finding
        (rule,) = printed["CORSRules"]
        for less in (
            {**rule, "AllowedMethods": ["GET"]},
            {**rule, "AllowedOrigins": ["https://acme.example"]},
            {**rule, "AllowedHeaders": ["content-type"]},
        ):
            rules: Any = {"CORSRules": [less]}
            await client.put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
            assert one(await s3_plain.storage.run_checks(), "CORS").grade is DEGRADED, less
    finally:
        await client.delete_bucket_cors(Bucket=bucket)


async def test_the_address_of_the_clients_is_tried_too(s3_server: S3Server) -> None:
    url = s3_server.url
    bucket = s3_server.plain
    for rule, grade, words in (
        (lax.passes_all_on, OK, "URLs for clients work at"),
        (lax.names_itself, FAILED, "pass Host on unchanged"),
    ):
        async with (
            lax_server(s3_server, rule) as public,
            open_s3(s3_location(url(bucket, public_endpoint=public)), utc_now) as storage,
        ):
            finding = one(await storage.run_checks(), "public address")
            assert (finding.grade, words in finding.found, public in finding.found) == (grade, True, True), finding
    async with open_s3(s3_location(url(bucket, public_endpoint="http://files.invalid")), utc_now) as storage:
        findings = await storage.run_checks()
        assert one(findings, "public address").grade is DEGRADED
        assert one(findings, "CORS").grade is DEGRADED
        await storage.prepare()


NEEDED = (
    "s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObjectVersion",
    "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload",
)  # fmt: skip
# The first: some stores want it for a version called "null". The other only makes the words better.
GIVEN = (*NEEDED, "s3:DeleteObject", "s3:GetBucketVersioning")


@pytest.mark.parametrize("missing", [None, *GIVEN])
async def test_the_rights_that_the_documentation_names_suffice_and_each_of_them_is_needed(
    missing: str | None, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    if s3_server.iam is None:
        pytest.skip("S3_TEST_ENDPOINT: no IAM there in which users could be made")
    given = [right for right in GIVEN if right != missing]
    bucket = s3_server.versioned
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Action": given,
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    user = f"lacks-{missing}".replace(":", "-")
    access_key, secret_key = await make_user(s3_server.iam, user, [statement])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
    async with open_s3(s3_location(s3_server.url(bucket)), utc_now) as storage:
        findings = await storage.run_checks()
    if missing not in NEEDED:
        assert {finding.check for finding in findings if finding.grade is FAILED} == set()
        assert {finding.check for finding in findings} == CHECKS
    else:
        (finding,) = findings
        assert (finding.check, finding.grade) == ("bucket", FAILED)
        assert str(missing) in finding.found
    for key in await left(s3_server, bucket):
        await s3_server.client.delete_object(Bucket=bucket, Key=key)


async def test_a_bucket_that_is_not_there_is_told(s3_server: S3Server) -> None:
    async with open_s3(s3_location(s3_server.url("nobody-has-this-bucket")), utc_now) as storage:
        (finding,) = await storage.run_checks()
        assert (finding.check, finding.grade) == ("bucket", FAILED)
        assert "there is no such bucket" in finding.found
        path = StoragePath("workspaces/ws_1/a")
        for call in (
            storage.probe(),
            storage.prepare(),
            storage.stat(path),
            storage.delete([path]),
            storage.read_mark(),
        ):
            with pytest.raises(Unavailable):
                await call


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
async def test_wrong_credentials_are_told(name: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "AKIAWRONGWRONGWRONG0")
    async with open_s3(s3_location(s3_server.url(s3_server.plain)), utc_now) as storage:
        (finding,) = await storage.run_checks()
        assert "access key" in finding.found
        for call in (storage.probe(), storage.prepare(), storage.read_mark()):
            with pytest.raises(Unavailable):
                await call


async def test_a_store_that_fails_meanwhile_is_told_and_what_was_made_is_deleted(s3_server: S3Server) -> None:
    rule = answers_with(is_download, lambda answered: (503, answered[1], b""))
    async with behind(s3_server, s3_server.plain, rule) as storage:
        *_, last = await storage.run_checks()
        assert (last.check, last.grade) == ("bucket", FAILED)
        assert "responded with status 503" in last.found
    assert await left(s3_server, s3_server.plain) == []
