"""Whether our credentials may do what Dossier does: each call is made once, on a key that is deleted again."""

import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.s3.failures import action_of, as_unavailable, is_denied
from adapters.s3.headers import version_of
from adapters.s3.versions import delete_every_version

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def missing_rights(client: "S3Client", bucket: str, store: str) -> Sequence[str]:
    """The IAM actions that are denied, none twice.

    Raises:
        Unavailable: something else is wrong: bucket, region, credentials, connection.
    """
    key = f".dossier/probe-{secrets.token_hex(8)}"
    missing: dict[str, None] = {}

    async def may(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        with as_unavailable(store):
            try:
                return await call()
            except ClientError as error:
                if not is_denied(error):
                    raise
                missing[action_of(error)] = None
                return None

    # First, because its answer has a body, which says what is wrong: that to a HEAD has none.
    await may(lambda: client.list_objects_v2(Bucket=bucket, MaxKeys=1))
    if put := await may(lambda: client.put_object(Bucket=bucket, Key=key, Body=b"")):
        await may(lambda: client.get_object(Bucket=bucket, Key=key))
        if version := version_of({"x-amz-version-id": put.get("VersionId", "")}):
            # A right of its own.
            await may(lambda: client.get_object(Bucket=bucket, Key=key, VersionId=version))
    if begun := await may(lambda: client.create_multipart_upload(Bucket=bucket, Key=key)):
        await may(lambda: client.list_multipart_uploads(Bucket=bucket, MaxUploads=1))
        await may(lambda: client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=begun["UploadId"]))
    await may(lambda: client.list_object_versions(Bucket=bucket, MaxKeys=1))
    await may(lambda: delete_every_version(client, bucket, key))
    return tuple(missing)
