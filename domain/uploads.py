"""The rules of uploads: the largest size, and the size and duration of a reservation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

UPLOAD_LIMIT_BYTES = 5 * 2**30
"""The largest object that S3 stores with one PUT: 5 GiB."""

GRACE = timedelta(minutes=45)
"""The time after the end of a signed URL in which most slow uploads end."""

SLOWEST_BYTES_PER_SECOND = 128 * 1024
"""An upload to S3 of at least this speed (1 Mbit/s) ends before its reservation does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRules:
    """The operator's settings for uploads.

    `unsized_bytes`: the reservation of an upload without a declared size, if the store cannot bind its length.
    `require_size`: whether a request for an upload URL without a size is refused.
    """

    unsized_bytes: int = 64 * 2**20
    require_size: bool = False


USUAL_RULES = UploadRules()


def held_until(expires_at: datetime, size_bytes: int) -> datetime:
    """Return the end of the reservation of an upload whose signed URL expires at `expires_at`."""
    return expires_at + GRACE + timedelta(seconds=size_bytes // SLOWEST_BYTES_PER_SECOND)
