"""What a bucket really enforces of what we sign.

Stores that speak S3 differ most in what they do not check: some take any signature, some replace what a condition
says must not be replaced. What our promises need is therefore asked of each store, not believed.
"""

from datetime import timedelta
from urllib.parse import quote

from adapters.s3.checks.trial import CONTENT, SHA256, TYPE, Trial
from adapters.s3.headers import download_query, sha256_of, upload_headers, version_of
from ports.checks import CheckResult, Grade

_OTHER = b"what must not be there"
_DISPOSITION = "attachment; filename=\"a_.txt\"; filename*=UTF-8''a%C3%A4.txt"


async def signatures(trial: Trial) -> CheckResult:
    """Whether a URL is worth something only as it was signed, and the bucket nothing without one."""
    key, other = trial.key(), trial.key()
    headers = upload_headers(TYPE, None, None)
    url = await trial.url("PUT", key, headers)
    download = await trial.url("GET", trial.object_key, {})
    found = [
        wrong
        for wrong, happened in (
            ("a URL with a changed signature", await trial.put(url[:-1] + ("0" if url[-1] != "0" else "1"), headers)),
            ("a URL changed to another key", await trial.put(url.replace(quote(key), quote(other)), headers)),
            ("uploads without a signature", await trial.put(url.partition("?")[0], headers)),
            (
                "downloads without a signature",
                trial.taken(await trial.sender.send("GET", download.partition("?")[0], {})),
            ),
        )
        if happened
    ]
    if found:
        return CheckResult("signatures", Grade.FAILED, f"the store accepts {', '.join(found)}")
    return CheckResult("signatures", Grade.OK, "changed and unsigned URLs are refused")


async def expiry(trial: Trial) -> CheckResult:
    """Whether a URL ends with its time."""
    headers = upload_headers(TYPE, None, None)
    # Ended well before any two clocks may differ.
    url = await trial.url("PUT", trial.key(), headers, at=trial.now() - timedelta(hours=1))
    if await trial.put(url, headers):
        return CheckResult("expiry", Grade.FAILED, "the store accepts URLs that have expired")
    return CheckResult("expiry", Grade.OK, "expired URLs are refused")


async def overwriting(trial: Trial) -> CheckResult:
    """Whether an upload URL can put other bytes in the place of those that are there."""
    headers = upload_headers(TYPE, None, None)
    key = trial.key()
    url = await trial.url("PUT", key, headers)
    unconditional = {name: value for name, value in headers.items() if name != "If-None-Match"}
    found = []
    # Asked while nothing lies there, or the condition might be refused for another reason.
    if await trial.put(url, unconditional):
        found.append("takes an upload without the If-None-Match that was signed")
    await trial.put(url, headers)
    if await trial.put(url, headers, _OTHER):
        found.append("replaces what is there in spite of If-None-Match: *")
    if not found:
        return CheckResult("overwrite", Grade.OK, "an upload URL stores once, and never replaces what is there")
    told_of = f"the store {' and '.join(found)}"
    if trial.is_versioned:
        return CheckResult("overwrite", Grade.DEGRADED, f"{told_of}; downloads keep to the version that was recorded")
    return CheckResult(
        "overwrite", Grade.FAILED, f"{told_of}: recorded bytes can be replaced; enable versions on the bucket"
    )


async def unsigned_headers(trial: Trial) -> CheckResult:
    """Whether who holds an upload URL can make a copy of any other object of it (CVE-2026-54330, in many stores)."""
    headers = upload_headers(TYPE, None, None)
    key = trial.key()
    copying = {**headers, "x-amz-copy-source": f"/{trial.bucket}/{trial.object_key}"}
    # A copy has the source's bytes. A store that stores those that were sent has not heeded the header.
    if await trial.put(await trial.url("PUT", key, headers), copying, _OTHER):
        copied = await trial.get(key, {}, {})
        if copied.body != _OTHER:
            return CheckResult(
                "unsigned headers",
                Grade.FAILED,
                "with an x-amz-copy-source that nobody signed, an upload URL copies any object whose key is known "
                "(CVE-2026-54330): update the store, and deny copies in the bucket's policy as docs/storage.md shows",
            )
        return CheckResult("unsigned headers", Grade.OK, "an x-amz-copy-source that was not signed is not heeded")
    return CheckResult("unsigned headers", Grade.OK, "an x-amz-copy-source that was not signed is refused")


async def binding(trial: Trial) -> CheckResult:
    """Whether an upload must have the length and the type that were signed."""
    headers = upload_headers(TYPE, len(CONTENT), None)
    url = await trial.url("PUT", trial.key(), headers)
    found = []
    if await trial.put(url, headers, CONTENT + b"."):
        found.append("length")
    url = await trial.url("PUT", trial.key(), headers)
    if await trial.put(url, {**headers, "Content-Type": "text/html"}):
        found.append("type")
    if not found:
        return CheckResult("upload terms", Grade.OK, "uploads of another length or type than signed are refused")
    return CheckResult(
        "upload terms",
        Grade.DEGRADED,
        f"uploads of another {' and '.join(found)} than signed are taken; what is recorded is what is then measured",
    )


async def checksums(trial: Trial) -> CheckResult:
    """Whether bytes are compared with the SHA-256 that was declared, and it is kept."""
    headers = upload_headers(TYPE, None, SHA256)
    key = trial.key()
    is_kept = sha256_of(trial.stored.headers) == SHA256
    if await trial.put(await trial.url("PUT", key, headers), headers, _OTHER):
        if sha256_of((await trial.head(key)).headers) == SHA256:
            return CheckResult("checksum", Grade.FAILED, "the store confirms a SHA-256 that the bytes do not have")
        return CheckResult("checksum", Grade.DEGRADED, "a declared SHA-256 is not compared with the bytes")
    if not is_kept:
        return CheckResult("checksum", Grade.DEGRADED, "a declared SHA-256 is compared with the bytes, but not kept")
    return CheckResult("checksum", Grade.OK, "bytes are compared with the declared SHA-256, and it is kept")


async def downloads(trial: Trial) -> CheckResult:
    """Whether a download is what we say it is: else a page that somebody uploaded would run in the store's origin."""
    query = download_query("application/octet-stream", _DISPOSITION, version_of(trial.stored.headers))
    answer = await trial.get(trial.object_key, query, {})
    wrong = [
        header
        for header, value in (("Content-Type", "application/octet-stream"), ("Content-Disposition", _DISPOSITION))
        if answer.headers.get(header) != value
    ]
    if not trial.taken(answer) or answer.body != CONTENT:
        return CheckResult("downloads", Grade.FAILED, f"a signed download did not give the bytes ({answer.status})")
    if wrong:
        return CheckResult(
            "downloads", Grade.FAILED, f"downloads come without the {' and '.join(wrong)} that was signed"
        )
    part = await trial.get(trial.object_key, query, {"Range": "bytes=1-4"})
    if (part.status, part.body) != (206, CONTENT[1:5]):
        return CheckResult("downloads", Grade.DEGRADED, "downloads come with type and name, but not in parts (Range)")
    return CheckResult("downloads", Grade.OK, "downloads come with the type and name that were signed, and in parts")
