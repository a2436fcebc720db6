"""Checks of the configuration of a bucket: versions, clock, CORS and the public address."""

from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from adapters.s3.checks.cors import UPLOAD_HEADERS, cors_configuration
from adapters.s3.checks.sandbox import Sandbox
from adapters.s3.failures import as_unavailable
from adapters.s3.presigner import Presigner
from adapters.s3.sending import Response, Sender
from ports.checks import CheckResult, Grade
from ports.system import Unavailable

_CLOCKS_DIFFER = timedelta(seconds=60)
_ORIGIN = "https://example.com"


async def versions(sandbox: Sandbox) -> CheckResult:
    """Check whether the bucket has versions. If so, downloads return the recorded version of a replaced object;
    otherwise Dossier can only detect the replacement."""
    if sandbox.is_versioned:
        return CheckResult("versions", Grade.OK, "enabled: downloads return the recorded version")
    compared = "downloads are issued only while the bytes have the recorded ETag"
    return CheckResult("versions", Grade.DEGRADED, f"{await _why_unversioned(sandbox)}: {compared}")


async def _why_unversioned(sandbox: Sandbox) -> str:
    status: str | None = None
    with as_unavailable(sandbox.store), suppress(ClientError):
        # The store may deny this call or not support it. Its result only makes the message more precise.
        status = (await sandbox.client.get_bucket_versioning(Bucket=sandbox.bucket)).get("Status")
    match status:
        case "Suspended":
            return "suspended"
        case "Enabled":
            return "reported as enabled, but objects have no versions"
        case _:
            return "off"


def clock(sandbox: Sandbox) -> CheckResult:
    """Check that the clocks of the store and of this machine agree, because signed URLs expire by the clock of the
    store."""
    try:
        difference = parsedate_to_datetime(sandbox.stored.headers["Date"]) - sandbox.now()
    except (KeyError, ValueError, TypeError):
        return CheckResult("clock", Grade.DEGRADED, "the store does not report its time")
    seconds = round(difference.total_seconds())
    if abs(difference) > _CLOCKS_DIFFER:
        return CheckResult(
            "clock",
            Grade.DEGRADED,
            f"the store's differs from ours by {seconds} s, and so do the lifetimes of signed URLs",
        )
    return CheckResult("clock", Grade.OK, "the store's clock and ours agree")


async def public_address(sandbox: Sandbox, public: Presigner) -> CheckResult:
    """Check that a URL for clients works at the address that it names."""
    at = sandbox.now()
    origin = public.address.origin
    url = await public.sign("GET", sandbox.object_key, at=at, until=at + timedelta(minutes=1))
    try:
        response = await Sender(sandbox.sender.session, origin).send("GET", url, {})
    except Unavailable as error:
        return CheckResult(
            "public address", Grade.DEGRADED, f"not reachable from this machine, perhaps for clients: {error}"
        )
    if response.status == 200:
        return CheckResult("public address", Grade.OK, f"URLs for clients work at {origin}")
    return CheckResult(
        "public address",
        Grade.FAILED,
        f"{origin} responds with {response.status} to a signed download: is it the same store, and does its proxy pass "
        "Host on unchanged?",
    )


async def cors(sandbox: Sandbox, public: Presigner) -> CheckResult:
    """Check that pages may upload, with the preflight request that a browser sends."""
    address = public.address
    preflight = {
        "Origin": _ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ",".join(UPLOAD_HEADERS),
    }
    url = f"{address.origin}{address.path}{sandbox.object_key}"
    try:
        response = await Sender(sandbox.sender.session, address.origin).send("OPTIONS", url, preflight)
    except Unavailable as error:
        return CheckResult("CORS", Grade.DEGRADED, f"not reachable from this machine: {error}")
    if _allows_upload(response):
        return CheckResult("CORS", Grade.OK, "pages of any origin may upload with a signed URL")
    return CheckResult(
        "CORS",
        Grade.DEGRADED,
        f"pages of {_ORIGIN} may not upload. If browsers should, give the bucket this rule, with the origins of your "
        f"pages: {cors_configuration([_ORIGIN])}",
    )


def _allows_upload(response: Response) -> bool:
    if response.status not in (200, 204) or response.headers.get("Access-Control-Allow-Origin") not in ("*", _ORIGIN):
        return False
    methods = {method.strip() for method in response.headers.get("Access-Control-Allow-Methods", "").split(",")}
    headers = {name.strip().lower() for name in response.headers.get("Access-Control-Allow-Headers", "").split(",")}
    return "PUT" in methods and ("*" in headers or headers.issuperset(UPLOAD_HEADERS))
