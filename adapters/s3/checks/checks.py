"""What `dossier doctor` says of a bucket, line by line, and the part of it without which `serve` does not start."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.s3.checks import enforcement, surroundings
from adapters.s3.checks.rights import missing_rights
from adapters.s3.checks.trial import Trial
from adapters.s3.presigner import Presigner
from ports.checks import CheckResult, Grade

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def rights(client: "S3Client", bucket: str, store: str) -> CheckResult:
    """Whether the bucket can be reached, and the credentials suffice; `Unavailable` where something else is wrong."""
    missing = await missing_rights(client, bucket, store)
    if missing:
        return CheckResult("bucket", Grade.FAILED, f"{store}: the credentials lack {', '.join(missing)}")
    return CheckResult("bucket", Grade.OK, f"{store} may be listed, written, read and cleaned")


async def essential(trial: Trial) -> Sequence[CheckResult]:
    """What nobody can do without: where one of these has failed, our promises cannot be kept."""
    return [
        await enforcement.signatures(trial),
        await enforcement.expiry(trial),
        await enforcement.overwriting(trial),
    ]


async def examination(trial: Trial, clients: Presigner) -> Sequence[CheckResult]:
    """All that is looked at."""
    findings = [
        *await essential(trial),
        await enforcement.unsigned_headers(trial),
        await enforcement.binding(trial),
        await enforcement.checksums(trial),
        await enforcement.downloads(trial),
        await surroundings.versions(trial),
        surroundings.clock(trial),
        await surroundings.cors(trial, clients),
    ]
    if clients.address != trial.presigner.address:
        findings.append(await surroundings.public_address(trial, clients))
    return findings
