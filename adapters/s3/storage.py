"""The object store in an S3 bucket. Clients reach it through presigned URLs, so no file passes through Dossier."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ClientError

from adapters.s3.checks.retention import default_retention
from adapters.s3.checks.sandbox import Sandbox, open_sandbox
from adapters.s3.checks.suite import check_access, essential_checks, run_checks
from adapters.s3.failures import as_unavailable, code_of, is_held, locks_new_objects
from adapters.s3.headers import download_query, in_lower_case, upload_headers
from adapters.s3.location import S3Location
from adapters.s3.mark import MARK_KEY, Mark
from adapters.s3.presigner import Presigner
from adapters.s3.reading import ObjectReader
from adapters.s3.sending import ATTEMPTS, TIMEOUTS, Sender, Timeouts, open_sender
from adapters.s3.versions import delete_every_version, delete_other_versions, replaced_keys
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import CheckResult, Grade
from ports.storage import DownloadTerms, ListedObject, SignedRequest, Unreadable, UploadTerms
from ports.system import Clock, Unavailable
from ports.versions import OtherVersions

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_PAGE = 1000
_DELETES_AT_ONCE = 16
_LISTINGS_AT_ONCE = 16


class S3Storage:
    """`ObjectStorage` in a bucket, created by `open_s3`.

    `internal` signs requests for the address at which Dossier reaches the bucket; `public` signs them for the address
    at which clients reach it.
    """

    # A presigned PUT binds a length only if the length is signed. A POST policy could bind a range, but the API
    # promises a PUT.
    binds_unsized_uploads = False

    def __init__(
        self,
        client: "S3Client",
        sender: Sender,
        bucket: str,
        mark: Mark,
        internal: Presigner,
        public: Presigner,
        now: Clock,
    ) -> None:
        self._client = client
        self._sender = sender
        self._bucket = bucket
        self._mark = mark
        self._internal = internal
        self._public = public
        self._now = now
        self._store = f"bucket {bucket} at {sender.store}"
        self._reader = ObjectReader(sender=sender, presigner=internal, now=now, store=self._store)

    async def stat(self, path: StoragePath) -> StoredObject | Unreadable | None:
        return await self._reader.stat(path)

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        headers = upload_headers(terms.mime_type, terms.size_bytes, terms.sha256)
        url = await self._public.sign(
            "PUT", terms.path, at=self._now(), until=expires_at, headers=in_lower_case(headers)
        )
        return SignedRequest(method="PUT", url=url, headers=headers, expires_at=expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        stored = await self._recorded_object(terms)
        if stored is None:
            return None
        query = download_query(terms.mime_type, terms.disposition, stored.version_id)
        url = await self._public.sign("GET", terms.path, at=self._now(), until=expires_at, query=query)
        return SignedRequest(method="GET", url=url, headers={}, expires_at=expires_at)

    async def prepare(self) -> None:
        # This comes first, because the objects of the checks could not be deleted.
        if retention := await default_retention(self._client, self._bucket, self._store):
            raise Unavailable(f"{self._store} {locks_new_objects(retention)}")
        async with self._sandbox() as sandbox:
            results = await essential_checks(sandbox)
        broken = [result.found for result in results if result.grade is Grade.FAILED]
        if broken:
            raise Unavailable(f"{self._store} cannot keep what Dossier promises: {'; '.join(broken)}")

    async def probe(self) -> None:
        await self._reader.head(MARK_KEY)

    async def run_checks(self) -> Sequence[CheckResult]:
        results: list[CheckResult] = []
        try:
            results.append(await check_access(self._client, self._bucket, self._store))
            if results[0].grade is Grade.OK:
                async with self._sandbox() as sandbox:
                    results += await run_checks(sandbox, self._public)
        except Unavailable as error:
            results.append(CheckResult("bucket", Grade.FAILED, str(error)))
        return results

    async def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        async for page in self._list(prefix, {}):
            yield page

    async def list_after(self, positions: Mapping[str, str]) -> AsyncIterator[Sequence[ListedObject]]:
        waiting = iter(positions.items())
        while some := list(islice(waiting, _LISTINGS_AT_ONCE)):
            for pages in await asyncio.gather(*(self._pages_after(prefix, position) for prefix, position in some)):
                for page in pages:
                    yield page

    async def _pages_after(self, prefix: str, position: str) -> Sequence[Sequence[ListedObject]]:
        return [page async for page in self._list(prefix, {"StartAfter": position})]

    async def _list(self, prefix: str, position: dict[str, Any]) -> AsyncIterator[Sequence[ListedObject]]:
        while True:
            with as_unavailable(self._store):
                # botocore requests URL-encoded object keys and decodes them: XML cannot represent every character.
                page = await self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=_PAGE, **position)
                listed = [
                    ListedObject(
                        key=item["Key"],
                        size_bytes=item["Size"],
                        etag=item["ETag"].strip('"'),
                        modified_at=item["LastModified"].astimezone(UTC),
                    )
                    for item in page.get("Contents", ())
                ]
                position = {"ContinuationToken": page["NextContinuationToken"]} if page.get("IsTruncated") else {}
            if listed:
                yield listed
            if not position:
                return

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        held: list[StoragePath] = []
        # Each object is deleted by its own call. A call that deletes many objects needs a checksum, and servers differ:
        # some demand an MD5, others the CRC that replaced it.
        for start in range(0, len(paths), _DELETES_AT_ONCE):
            batch = paths[start : start + _DELETES_AT_ONCE]
            # `return_exceptions`, so that every call has ended before the first error is raised.
            outcomes = await asyncio.gather(*map(self._delete, batch), return_exceptions=True)
            for path, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, BaseException):
                    raise outcome
                if not outcome:
                    held.append(path)
        return held

    async def list_replaced(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        with as_unavailable(self._store):
            async for keys in replaced_keys(self._client, self._bucket, prefix):
                yield keys

    async def delete_other_versions(self, path: StoragePath, version_id: str, *, dry_run: bool) -> OtherVersions:
        with as_unavailable(self._store):
            return await delete_other_versions(self._client, self._bucket, path, version_id, dry_run=dry_run)

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        discarded, position = 0, dict[str, Any]()
        while True:
            with as_unavailable(self._store):
                page = await self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix, **position)
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        discarded += await self._abort(upload["Key"], upload["UploadId"])
                if not page.get("IsTruncated"):
                    return discarded
                position = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    async def read_mark(self) -> str | None:
        with as_unavailable(self._store):
            return await self._mark.read()

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        with as_unavailable(self._store):
            if replace:
                await self._mark.replace(mark)
                return True
            return await self._mark.claim(mark)

    async def _recorded_object(self, terms: DownloadTerms) -> StoredObject | None:
        """Return the recorded version of the object. If that version is missing, as after a restore, return the object
        at the path if it has the same bytes."""
        recorded = terms.stored
        if recorded.version_id is not None:
            found = await self._reader.head(terms.path, recorded.version_id)
            if found is not None:
                return found if found.size_bytes == recorded.size_bytes else None
        found = await self._reader.head(terms.path)
        if found is None or found.size_bytes != recorded.size_bytes:
            return None
        if found.sha256 is not None and recorded.sha256 is not None:
            # The SHA-256 decides, because in most stores the ETag is only an MD5.
            return found if found.sha256 == recorded.sha256 else None
        return found if found.etag == recorded.etag else None

    async def _delete(self, path: StoragePath) -> bool:
        """Delete all versions. Return `False` if the store keeps one, because it is locked or a permission is
        missing."""
        with as_unavailable(self._store):
            try:
                await delete_every_version(self._client, self._bucket, path)
            except ClientError as error:
                if is_held(error):
                    return False
                raise
        return True

    async def _abort(self, key: str, upload_id: str) -> bool:
        try:
            await self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise
            # The client or another sweep ended the upload first.
            return False
        return True

    def _sandbox(self) -> AbstractAsyncContextManager[Sandbox]:
        return open_sandbox(self._client, self._sender, self._bucket, self._internal, self._now)


@asynccontextmanager
async def open_s3(location: S3Location, now: Clock, timeouts: Timeouts = TIMEOUTS) -> AsyncIterator[S3Storage]:
    """Open the bucket for the block, with one botocore client and one HTTP session. No request is sent yet.

    Credentials are found as every AWS tool finds them: environment, files, roles.

    Raises:
        Unavailable: the environment or AWS' configuration files cannot be used.
    """
    async with AsyncExitStack() as stack:
        with as_unavailable("AWS' settings"):
            session = get_session()
            credentials = await session.get_credentials()
            client = await stack.enter_async_context(
                session.create_client(
                    "s3",
                    region_name=location.region,
                    endpoint_url=location.endpoint,
                    config=_config(location, timeouts),
                )
            )
            client.meta.events.register_last("before-parameter-build.s3", _follow_no_redirect)
            ca_bundle = session.get_config_variable("ca_bundle")
            sender = await stack.enter_async_context(open_sender(location.address.origin, timeouts, ca_bundle))
        yield S3Storage(
            client,
            sender,
            location.bucket,
            Mark(client, location.bucket, timeouts.settle_seconds),
            internal=Presigner(address=location.address, region=location.region, credentials=credentials),
            public=Presigner(address=location.public_address, region=location.region, credentials=credentials),
            now=now,
        )


def _follow_no_redirect(context: dict[str, Any], **_: object) -> None:
    """Report a redirect instead of following it.

    After a redirect, botocore asks for the region of the bucket. If the server redirects that request too, as one does
    that permits only HTTPS, botocore does the same again until the interpreter's limit of recursion.
    """
    context["s3_redirect"]["redirected"] = True


def _config(location: S3Location, timeouts: Timeouts) -> AioConfig:
    return AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": location.addressing},
        connect_timeout=timeouts.connect_seconds,
        read_timeout=timeouts.response_seconds,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=64,
        # Other servers do not support AWS' newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # AWS_ENDPOINT_URL is ignored, because it configures other programs. Signed URLs must contain the host of
        # DOSSIER_STORAGE_URL.
        ignore_configured_endpoint_urls=True,
    )
