"""What is looked at around the objects of a bucket: versions, the clock, and the way that clients come."""

from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from adapters.s3.checks.cors import UPLOAD_HEADERS, cors_configuration
from adapters.s3.checks.trial import Trial
from adapters.s3.failures import as_unavailable
from adapters.s3.presigner import Presigner
from adapters.s3.sending import Answer, Sender
from ports.checks import CheckResult, Grade
from ports.system import Unavailable

_CLOCKS_DIFFER = timedelta(seconds=60)
_ORIGIN = "https://example.com"


async def versions(trial: Trial) -> CheckResult:
    """Which of the two ways keeps recorded bytes what they were."""
    if trial.is_versioned:
        return CheckResult("versions", Grade.OK, "enabled: downloads keep to the version that was recorded")
    compared = "downloads are issued only while the bytes have the recorded ETag"
    return CheckResult("versions", Grade.DEGRADED, f"{await _why_there_are_none(trial)}: {compared}")


async def _why_there_are_none(trial: Trial) -> str:
    status: str | None = None
    with as_unavailable(trial.store), suppress(ClientError):
        # May not be asked, or is not known there. That there are none was seen.
        status = (await trial.client.get_bucket_versioning(Bucket=trial.bucket)).get("Status")
    match status:
        case "Suspended":
            return "suspended"
        case "Enabled":
            return "said to be enabled, but objects have none"
        case _:
            return "off"


def clock(trial: Trial) -> CheckResult:
    """Whether the store's clock and ours agree: links hold by the store's."""
    try:
        difference = parsedate_to_datetime(trial.stored.headers["Date"]) - trial.now()
    except (KeyError, ValueError, TypeError):
        return CheckResult("clock", Grade.DEGRADED, "the store does not say what time it is")
    seconds = round(difference.total_seconds())
    if abs(difference) > _CLOCKS_DIFFER:
        return CheckResult(
            "clock", Grade.DEGRADED, f"the store's differs from ours by {seconds} s: so do the lifetimes of links"
        )
    return CheckResult("clock", Grade.OK, "the store's clock and ours agree")


async def public_address(trial: Trial, clients: Presigner) -> CheckResult:
    """Whether URLs for clients hold at the address that they name."""
    at = trial.now()
    origin = clients.address.origin
    url = await clients.sign("GET", trial.object_key, at=at, until=at + timedelta(minutes=1))
    try:
        answer = await Sender(trial.sender.session, origin).send("GET", url, {})
    except Unavailable as away:
        return CheckResult("public address", Grade.DEGRADED, f"not reached from here, clients may be able to: {away}")
    if answer.status == 200:
        return CheckResult("public address", Grade.OK, f"URLs for clients work at {origin}")
    return CheckResult(
        "public address",
        Grade.FAILED,
        f"{origin} answers {answer.status} to a signed download: is it the same store, and is Host passed on as it is?",
    )


async def cors(trial: Trial, clients: Presigner) -> CheckResult:
    """Whether pages may upload: asked as a browser does, for a page of any origin."""
    address = clients.address
    asked = {
        "Origin": _ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ",".join(UPLOAD_HEADERS),
    }
    url = f"{address.origin}{address.path}{trial.object_key}"
    try:
        answer = await Sender(trial.sender.session, address.origin).send("OPTIONS", url, asked)
    except Unavailable as away:
        return CheckResult("CORS", Grade.DEGRADED, f"not reached from here: {away}")
    if _allows(answer):
        return CheckResult("CORS", Grade.OK, "pages of any origin may upload with a signed URL")
    return CheckResult(
        "CORS",
        Grade.DEGRADED,
        f"pages of {_ORIGIN} may not upload. If browsers are to, give the bucket this, with the origins of your pages: "
        f"{cors_configuration([_ORIGIN])}",
    )


def _allows(answer: Answer) -> bool:
    if answer.status not in (200, 204) or answer.headers.get("Access-Control-Allow-Origin") not in ("*", _ORIGIN):
        return False
    methods = {method.strip() for method in answer.headers.get("Access-Control-Allow-Methods", "").split(",")}
    headers = {name.strip().lower() for name in answer.headers.get("Access-Control-Allow-Headers", "").split(",")}
    return "PUT" in methods and ("*" in headers or headers.issuperset(UPLOAD_HEADERS))
