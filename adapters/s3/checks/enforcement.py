"""Checks that a bucket enforces the terms that Dossier signs.

S3 servers differ in the terms that they do not check: some accept any signature, and some replace an object although a
condition forbids it. So each check sends a request that violates a term.
"""

import gzip
from datetime import timedelta
from urllib.parse import quote

from adapters.s3.checks.sandbox import CONTENT, SHA256, TYPE, Sandbox
from adapters.s3.headers import (
    CACHE_CONTROL,
    IDENTITY,
    download_query,
    obstacle_of,
    sha256_of,
    upload_headers,
    version_of,
)
from ports.checks import CheckResult, Grade

_OTHER = b"what must not be there"
_RACERS = 8
_ROUNDS = 3
_REDIRECT = "x-amz-website-redirect-location"
_UNSIGNED = {"Content-Encoding": "gzip", "Cache-Control": "public, max-age=31536000", "Content-Language": "tlh"}
_DISPOSITION = "attachment; filename=\"a_.txt\"; filename*=UTF-8''a%C3%A4.txt"


async def signatures(sandbox: Sandbox) -> CheckResult:
    """Check that changed and unsigned URLs are refused."""
    key, other = sandbox.key(), sandbox.key()
    headers = upload_headers(TYPE, None, None)
    url = await sandbox.url("PUT", key, headers)
    download = await sandbox.url("GET", sandbox.object_key, {})
    unsigned_download = await sandbox.sender.send("GET", download.partition("?")[0], {})
    accepted = [
        violation
        for violation, happened in (
            ("a URL with a changed signature", await sandbox.put(url[:-1] + ("0" if url[-1] != "0" else "1"), headers)),
            ("a URL changed to another key", await sandbox.put(url.replace(quote(key), quote(other)), headers)),
            ("uploads without a signature", await sandbox.put(url.partition("?")[0], headers)),
            ("downloads without a signature", sandbox.accepted(unsigned_download)),
        )
        if happened
    ]
    if accepted:
        return CheckResult("signatures", Grade.FAILED, f"the store accepts {', '.join(accepted)}")
    return CheckResult("signatures", Grade.OK, "changed and unsigned URLs are refused")


async def expiry(sandbox: Sandbox) -> CheckResult:
    """Check that an expired URL is refused."""
    headers = upload_headers(TYPE, None, None)
    # The URL has been expired for longer than two clocks may differ.
    url = await sandbox.url("PUT", sandbox.key(), headers, at=sandbox.now() - timedelta(hours=1))
    if await sandbox.put(url, headers):
        return CheckResult("expiry", Grade.FAILED, "the store accepts URLs that have expired")
    return CheckResult("expiry", Grade.OK, "expired URLs are refused")


async def overwriting(sandbox: Sandbox) -> CheckResult:
    """Check that an upload URL cannot replace a stored object."""
    headers = upload_headers(TYPE, None, None)
    key = sandbox.key()
    url = await sandbox.url("PUT", key, headers)
    unconditional = {name: value for name, value in headers.items() if name != "If-None-Match"}
    violations = []
    # This request is sent while the object key is unused, because later the store could refuse it for another reason.
    if await sandbox.put(url, unconditional):
        violations.append("accepts an upload without the If-None-Match that was signed")
    await sandbox.put(url, headers)
    if await sandbox.put(url, headers, _OTHER):
        violations.append("replaces an object in spite of If-None-Match: *")
    if not violations:
        return CheckResult("overwrite", Grade.OK, "an upload URL stores once, and never replaces an object")
    found = f"the store {' and '.join(violations)}"
    if sandbox.is_versioned:
        return CheckResult("overwrite", Grade.DEGRADED, f"{found}; downloads return the recorded version")
    return CheckResult(
        "overwrite", Grade.FAILED, f"{found}: recorded bytes can be replaced; enable versions on the bucket"
    )


async def races(sandbox: Sandbox) -> CheckResult:
    """Check that of many uploads at once through one URL, one is stored.

    Several rounds, because a store may lose the race only sometimes.
    """
    headers = upload_headers(TYPE, None, None)
    accepted = [
        await sandbox.race(await sandbox.url("PUT", sandbox.key(), headers), headers, _RACERS) for _ in range(_ROUNDS)
    ]
    if max(accepted) == 0:
        return CheckResult("races", Grade.DEGRADED, f"not tried: none of {_RACERS} uploads at once was accepted")
    if max(accepted) == 1:
        return CheckResult("races", Grade.OK, f"of {_RACERS} uploads at once through one URL, one is stored")
    found = (
        f"the store accepts {max(accepted)} of {_RACERS} uploads at once through one URL, in spite of If-None-Match: *"
    )
    if sandbox.is_versioned:
        return CheckResult(
            "races",
            Grade.DEGRADED,
            f"{found}; downloads return the recorded version, and the complete sweep deletes the others",
        )
    return CheckResult(
        "races",
        Grade.FAILED,
        f"{found}: an upload that began before a document was recorded can replace its bytes; enable versions on the "
        "bucket",
    )


async def unsigned_headers(sandbox: Sandbox) -> CheckResult:
    """Check that the store refuses an upload with x-amz-… headers that were not signed.

    With such headers, an upload could copy another object of the bucket (CVE-2026-54330, in many stores), or make its
    own object public.
    """
    copying = await _copying(sandbox)
    if copying.grade is not Grade.OK:
        return copying
    headers = upload_headers(TYPE, None, None)
    key = sandbox.key()
    if await sandbox.put(await sandbox.url("PUT", key, headers), {**headers, "x-amz-acl": "public-read"}):
        url = await sandbox.url("GET", key, {})
        if sandbox.accepted(await sandbox.sender.send("GET", url.partition("?")[0], {})):
            return CheckResult(
                "unsigned headers",
                Grade.FAILED,
                "with an unsigned x-amz-acl, an upload URL makes its object public: update the store, and block public "
                "access to the bucket",
            )
    key = sandbox.key()
    redirecting = {**headers, _REDIRECT: "/elsewhere"}
    if await sandbox.put(await sandbox.url("PUT", key, headers), redirecting):
        if _REDIRECT in (await sandbox.head(key)).headers:
            return CheckResult(
                "unsigned headers",
                Grade.DEGRADED,
                "the store keeps x-amz-… headers that were not signed; no document is recorded with one that would "
                "mislead readers; update the store",
            )
        return CheckResult("unsigned headers", Grade.OK, f"{copying.found}, other x-amz-… headers are ignored")
    return CheckResult("unsigned headers", Grade.OK, f"{copying.found}, other x-amz-… headers are refused")


async def _copying(sandbox: Sandbox) -> CheckResult:
    headers = upload_headers(TYPE, None, None)
    key = sandbox.key()
    copying = {**headers, "x-amz-copy-source": f"/{sandbox.bucket}/{sandbox.object_key}"}
    if await sandbox.put(await sandbox.url("PUT", key, headers), copying, _OTHER):
        copied = await sandbox.get(key, {}, {})
        # A copy would have the bytes of its source. If the store has the bytes that were sent, it ignored the header.
        if copied.body != _OTHER:
            return CheckResult(
                "unsigned headers",
                Grade.FAILED,
                "with an unsigned x-amz-copy-source, an upload URL copies any object whose key is known "
                "(CVE-2026-54330): update the store, and deny copies in the bucket's policy as docs/storage.md shows",
            )
        return CheckResult("unsigned headers", Grade.OK, "an unsigned x-amz-copy-source is ignored")
    return CheckResult("unsigned headers", Grade.OK, "an unsigned x-amz-copy-source is refused")


async def upload_terms(sandbox: Sandbox) -> CheckResult:
    """Check that an upload must have the signed length and type."""
    headers = upload_headers(TYPE, len(CONTENT), None)
    url = await sandbox.url("PUT", sandbox.key(), headers)
    violated = []
    if await sandbox.put(url, headers, CONTENT + b"."):
        violated.append("length")
    url = await sandbox.url("PUT", sandbox.key(), headers)
    if await sandbox.put(url, {**headers, "Content-Type": "text/html"}):
        violated.append("type")
    if not violated:
        return CheckResult("upload terms", Grade.OK, "uploads with another length or type than signed are refused")
    return CheckResult(
        "upload terms",
        Grade.DEGRADED,
        f"uploads with another {' and '.join(violated)} than signed are accepted; documents record the measured values",
    )


async def checksums(sandbox: Sandbox) -> CheckResult:
    """Check that the store compares the bytes with a declared SHA-256, and keeps it."""
    headers = upload_headers(TYPE, None, SHA256)
    key = sandbox.key()
    is_kept = sha256_of(sandbox.stored.headers) == SHA256
    if await sandbox.put(await sandbox.url("PUT", key, headers), headers, _OTHER):
        if sha256_of((await sandbox.head(key)).headers) == SHA256:
            return CheckResult("checksum", Grade.FAILED, "the store confirms a SHA-256 that the bytes do not have")
        return CheckResult("checksum", Grade.DEGRADED, "a declared SHA-256 is not compared with the bytes")
    if not is_kept:
        return CheckResult("checksum", Grade.DEGRADED, "a declared SHA-256 is compared with the bytes, but not kept")
    return CheckResult("checksum", Grade.OK, "bytes are compared with the declared SHA-256, and it is kept")


async def stored_headers(sandbox: Sandbox) -> CheckResult:
    """Check that readers get the stored bytes, even if the upload had other headers than those that were signed.

    No signature needs to cover headers such as Content-Encoding, and most stores keep them.
    """
    headers = upload_headers(TYPE, None, None)
    key, compressed = sandbox.key(), gzip.compress(CONTENT)
    if not await sandbox.put(await sandbox.url("PUT", key, headers), {**headers, **_UNSIGNED}, compressed):
        return CheckResult("stored headers", Grade.OK, "uploads with headers that were not signed are refused")
    stored = (await sandbox.head(key)).headers
    response = await sandbox.get(key, download_query(TYPE, _DISPOSITION, version_of(stored)), {})
    encoding = response.headers.get("Content-Encoding", IDENTITY)
    if not sandbox.accepted(response) or response.body != compressed or encoding != IDENTITY:
        found = "readers of an upload with an unsigned Content-Encoding get other bytes than those that are stored"
        if obstacle_of(stored) is None:
            return CheckResult("stored headers", Grade.FAILED, f"{found}, and Dossier cannot see it")
        return CheckResult("stored headers", Grade.DEGRADED, f"{found}, so no document is recorded with one")
    if response.headers.get("Cache-Control") != CACHE_CONTROL:
        return CheckResult(
            "stored headers",
            Grade.DEGRADED,
            f"downloads lack the signed Cache-Control: {CACHE_CONTROL}, so caches may keep the bytes for longer than "
            "the URL is valid",
        )
    return CheckResult(
        "stored headers",
        Grade.OK,
        "downloads have the signed Content-Encoding and Cache-Control, whatever the upload had",
    )


async def downloads(sandbox: Sandbox) -> CheckResult:
    """Check that a download has the signed type: otherwise an uploaded page could run scripts in the store's origin."""
    query = download_query("application/octet-stream", _DISPOSITION, version_of(sandbox.stored.headers))
    response = await sandbox.get(sandbox.object_key, query, {})
    missing = [
        header
        for header, value in (("Content-Type", "application/octet-stream"), ("Content-Disposition", _DISPOSITION))
        if response.headers.get(header) != value
    ]
    if not sandbox.accepted(response) or response.body != CONTENT:
        return CheckResult(
            "downloads", Grade.FAILED, f"a signed download did not return the bytes (status {response.status})"
        )
    if missing:
        return CheckResult("downloads", Grade.FAILED, f"downloads lack the signed {' and '.join(missing)}")
    part = await sandbox.get(sandbox.object_key, query, {"Range": "bytes=1-4"})
    if (part.status, part.body) != (206, CONTENT[1:5]):
        return CheckResult(
            "downloads", Grade.DEGRADED, "downloads have the signed type and name, but ranges are not supported"
        )
    return CheckResult("downloads", Grade.OK, "downloads have the signed type and name, and support ranges")
