"""The default retention of a bucket with Object Lock: for how long the store refuses to delete a new object."""

from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.s3.failures import as_unavailable
from domain.wording import counted
from ports.system import Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def default_retention(client: "S3Client", bucket: str, store: str) -> str | None:
    """Return the default retention of the bucket, such as `COMPLIANCE, 30 days`; `None` if none is known.

    Dossier refuses a bucket that has one. Nothing that a client deletes would give back its space, each sweep would ask
    for the deletion of everything again, and each version of the mark would stay. AWS also refuses uploads without a
    checksum to such a bucket.
    """
    # The store may have no such configuration, deny this call, or not support it. A store that locks objects without
    # saying so is noticed when the first object of a check cannot be deleted. The checks report any other failure.
    with suppress(Unavailable, ClientError), as_unavailable(store):
        found = await client.get_object_lock_configuration(Bucket=bucket)
        retention = found.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
        if retention:
            period = counted(retention["Years"], "year") if "Years" in retention else counted(retention["Days"], "day")
            return f"{retention['Mode']}, {period}"
    return None
