"""The rules of uploads: how large one may be, what it reserves of the quota, and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

UPLOAD_LIMIT_BYTES = 5 * 2**30
"""The largest object that S3 stores with one PUT: 5 GiB."""

GRACE = timedelta(minutes=45)
"""How long after its signed URL has expired most slow uploads have ended."""

SLOWEST_BYTES_PER_SECOND = 128 * 1024
"""The slowest upload to S3 that keeps its reservation to its end, after `GRACE`: 1 Mbit/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRules:
    """What the operator decides about uploads.

    `unsized_bytes`: what an upload without a declared size reserves, if the store cannot bind it. `require_size`:
    refuse such an upload.
    """

    unsized_bytes: int = 64 * 2**20
    require_size: bool = False


USUAL_RULES = UploadRules()


def held_until(expires_at: datetime, size_bytes: int) -> datetime:
    """Return how long an upload keeps its reservation. Its signed URL expires at `expires_at`."""
    return expires_at + GRACE + timedelta(seconds=size_bytes // SLOWEST_BYTES_PER_SECOND)
