"""The list of all checks of a bucket, and of the essential checks. If an essential check fails, `serve` does not
start."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.s3.checks import configuration, enforcement
from adapters.s3.checks.iam import denied_actions
from adapters.s3.checks.retention import default_retention
from adapters.s3.checks.sandbox import Sandbox
from adapters.s3.failures import locks_new_objects
from adapters.s3.presigner import Presigner
from ports.checks import CheckResult, Grade

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def check_access(client: "S3Client", bucket: str, store: str) -> CheckResult:
    """Check that the bucket and the credentials allow every call that Dossier makes.

    Raises:
        Unavailable: the bucket cannot be reached or used for another reason.
    """
    # This comes first, because the objects of the checks could not be deleted.
    if retention := await default_retention(client, bucket, store):
        return CheckResult("bucket", Grade.FAILED, f"{store} {locks_new_objects(retention)}")
    denied = await denied_actions(client, bucket, store)
    if denied:
        return CheckResult("bucket", Grade.FAILED, f"{store}: the credentials lack {', '.join(denied)}")
    return CheckResult("bucket", Grade.OK, f"{store} may be listed, written, read and cleaned")


async def essential_checks(sandbox: Sandbox) -> Sequence[CheckResult]:
    """Run the checks that must not fail, because Dossier could not protect the stored bytes otherwise."""
    return [
        await enforcement.signatures(sandbox),
        await enforcement.expiry(sandbox),
        await enforcement.overwriting(sandbox),
    ]


async def run_checks(sandbox: Sandbox, public: Presigner) -> Sequence[CheckResult]:
    """Run all checks. `public` signs the URLs that clients get."""
    results = [
        *await essential_checks(sandbox),
        await enforcement.races(sandbox),
        await enforcement.unsigned_headers(sandbox),
        await enforcement.upload_terms(sandbox),
        await enforcement.checksums(sandbox),
        await enforcement.downloads(sandbox),
        await enforcement.stored_headers(sandbox),
        await configuration.versions(sandbox),
        configuration.clock(sandbox),
        await configuration.cors(sandbox, public),
    ]
    if public.address != sandbox.presigner.address:
        results.append(await configuration.public_address(sandbox, public))
    return results
