"""Checks that a bucket enforces the terms that Dossier signs.

S3 servers differ in the terms that they do not check: some accept any signature, and some replace an object although a
condition forbids it. So each check sends a request that violates a term.
"""

from datetime import timedelta
from urllib.parse import quote

from adapters.s3.checks.sandbox import CONTENT, SHA256, TYPE, Sandbox
from adapters.s3.headers import download_query, sha256_of, upload_headers, version_of
from ports.checks import CheckResult, Grade

_OTHER = b"what must not be there"
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
    # This request is sent while the S3 key is unused, because later the store could refuse it for another reason.
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


async def unsigned_headers(sandbox: Sandbox) -> CheckResult:
    """Check that an upload URL cannot copy another object of the bucket (CVE-2026-54330, in many stores)."""
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
