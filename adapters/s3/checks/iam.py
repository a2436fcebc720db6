"""The test whether the credentials permit every call that Dossier makes. Each call is made once, with a temporary
object key."""

import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.s3.failures import action_of, as_unavailable, is_denied, is_locked
from adapters.s3.headers import version_of
from adapters.s3.versions import delete_every_version

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


async def denied_actions(client: "S3Client", bucket: str, store: str) -> Sequence[str]:
    """Return the IAM actions that the store denies, without duplicates.

    Raises:
        Unavailable: something else is wrong: bucket, region, credentials, connection.
    """
    key = f".dossier/probe-{secrets.token_hex(8)}"
    denied: dict[str, None] = {}

    async def attempt(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        with as_unavailable(store):
            try:
                return await call()
            except ClientError as error:
                if not is_denied(error) or is_locked(error):
                    raise
                denied[action_of(error)] = None
                return None

    # A listing comes first, because an error response to it has a body that names the cause. An error response to HEAD
    # has no body.
    await attempt(lambda: client.list_objects_v2(Bucket=bucket, MaxKeys=1))
    if put := await attempt(lambda: client.put_object(Bucket=bucket, Key=key, Body=b"")):
        await attempt(lambda: client.get_object(Bucket=bucket, Key=key))
        if version := version_of({"x-amz-version-id": put.get("VersionId", "")}):
            # IAM has a separate action for reading a version.
            await attempt(lambda: client.get_object(Bucket=bucket, Key=key, VersionId=version))
    if begun := await attempt(lambda: client.create_multipart_upload(Bucket=bucket, Key=key)):
        await attempt(lambda: client.list_multipart_uploads(Bucket=bucket, MaxUploads=1))
        await attempt(lambda: client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=begun["UploadId"]))
    await attempt(lambda: client.list_object_versions(Bucket=bucket, MaxKeys=1))
    await attempt(lambda: delete_every_version(client, bucket, key))
    return tuple(denied)
