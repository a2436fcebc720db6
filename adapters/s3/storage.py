"""The object store in an S3 bucket. Clients reach it through presigned URLs: no document passes through us."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ClientError

from adapters.s3.checks.checks import essential, examination, rights
from adapters.s3.checks.trial import Trial, open_trial
from adapters.s3.failures import as_unavailable, code_of, is_denied
from adapters.s3.headers import download_query, in_lower_case, sha256_of, upload_headers, version_of
from adapters.s3.location import S3Location
from adapters.s3.presigner import Presigner
from adapters.s3.sending import PATIENCE, TRIES, Answer, Patience, Sender, open_sender
from adapters.s3.versions import delete_every_version, delete_older_versions
from domain.documents import StoredObject
from domain.paths import StoragePath
from ports.checks import CheckResult, Grade
from ports.storage import DownloadTerms, ListedObject, SignedRequest, UploadTerms
from ports.system import Clock, Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_MARK = ".dossier/deployment"
_MARK_MAX_BYTES = 1024
_PAGE = 1000
_DELETES_AT_ONCE = 16
# As long as clocks may differ, and not longer: nobody is to have the URL of a question that we ask ourselves.
_OWN_LIFETIME = timedelta(minutes=5)


class S3Storage:
    """`ObjectStorage` in a bucket. `open_s3` makes one."""

    def __init__(
        self, client: "S3Client", sender: Sender, bucket: str, ours: Presigner, clients: Presigner, now: Clock
    ) -> None:
        self._client = client
        self._sender = sender
        self._bucket = bucket
        self._ours = ours
        self._clients = clients
        self._now = now
        self._store = f"bucket {bucket} at {sender.store}"

    async def stat(self, path: StoragePath) -> StoredObject | None:
        return await self._head(path)

    async def sign_upload(self, terms: UploadTerms, expires_at: datetime) -> SignedRequest:
        headers = upload_headers(terms.mime_type, terms.size_bytes, terms.sha256)
        url = await self._clients.sign(
            "PUT", terms.path, at=self._now(), until=expires_at, headers=in_lower_case(headers)
        )
        return SignedRequest(method="PUT", url=url, headers=headers, expires_at=expires_at)

    async def sign_download(self, terms: DownloadTerms, expires_at: datetime) -> SignedRequest | None:
        found = await self._find(terms)
        if found is None:
            return None
        query = download_query(terms.mime_type, terms.disposition, found.version_id)
        url = await self._clients.sign("GET", terms.path, at=self._now(), until=expires_at, query=query)
        return SignedRequest(method="GET", url=url, headers={}, expires_at=expires_at)

    async def prepare(self) -> None:
        async with self._trial() as trial:
            findings = await essential(trial)
        broken = [finding.found for finding in findings if finding.grade is Grade.FAILED]
        if broken:
            raise Unavailable(f"{self._store} cannot keep what Dossier promises: {'; '.join(broken)}")

    async def probe(self) -> None:
        await self._head(_MARK)

    async def run_checks(self) -> Sequence[CheckResult]:
        findings: list[CheckResult] = []
        try:
            findings.append(await rights(self._client, self._bucket, self._store))
            if findings[0].grade is Grade.OK:
                async with self._trial() as trial:
                    findings += await examination(trial, self._clients)
        except Unavailable as away:
            findings.append(CheckResult("bucket", Grade.FAILED, str(away)))
        return findings

    async def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        more: dict[str, Any] = {}
        while True:
            with as_unavailable(self._store):
                # botocore asks for keys that are URL-encoded, and decodes them: XML cannot hold every character.
                page = await self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=_PAGE, **more)
                found = [
                    ListedObject(
                        key=item["Key"],
                        size_bytes=item["Size"],
                        etag=item["ETag"].strip('"'),
                        modified_at=item["LastModified"].astimezone(UTC),
                    )
                    for item in page.get("Contents", ())
                ]
                more = {"ContinuationToken": page["NextContinuationToken"]} if page.get("IsTruncated") else {}
            if found:
                yield found
            if not more:
                return

    async def delete(self, paths: Sequence[StoragePath]) -> Sequence[StoragePath]:
        held: list[StoragePath] = []
        # One by one: some servers want an MD5 on the call that deletes many, others the CRC that replaced it.
        for start in range(0, len(paths), _DELETES_AT_ONCE):
            some = paths[start : start + _DELETES_AT_ONCE]
            # All end before one that failed is told of: nothing goes on behind the caller's back.
            for path, result in zip(
                some, await asyncio.gather(*map(self._delete, some), return_exceptions=True), strict=True
            ):
                if isinstance(result, BaseException):
                    raise result
                if not result:
                    held.append(path)
        return held

    async def discard_unfinished(self, prefix: str, before: datetime) -> int:
        discarded, more = 0, dict[str, Any]()
        while True:
            with as_unavailable(self._store):
                page = await self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix, **more)
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        discarded += await self._abort(upload["Key"], upload["UploadId"])
                if not page.get("IsTruncated"):
                    return discarded
                more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    async def read_mark(self) -> str | None:
        with as_unavailable(self._store):
            try:
                found = await self._client.get_object(Bucket=self._bucket, Key=_MARK)
                async with found["Body"] as body:
                    return (await body.read(_MARK_MAX_BYTES)).decode(errors="replace").strip()
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise

    async def write_mark(self, mark: str, *, replace: bool) -> bool:
        # Looked at first, for the stores that do not heed the condition; they are not safe against two at once.
        if not replace and await self.read_mark() is not None:
            return False
        condition: dict[str, Any] = {} if replace else {"IfNoneMatch": "*"}
        with as_unavailable(self._store):
            try:
                await self._client.put_object(
                    Bucket=self._bucket, Key=_MARK, Body=mark.encode(), ContentType="text/plain", **condition
                )
            except ClientError as error:
                # The second: AWS, while another such write is on its way. Who of the two was first is then still open,
                # but that one of them will be is not.
                if code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                    return False
                raise
            if replace:
                await delete_older_versions(self._client, self._bucket, _MARK)
        return True

    async def _find(self, terms: DownloadTerms) -> StoredObject | None:
        """The very object of the terms, or one with the same bytes where that is gone, as after a restore."""
        recorded = terms.stored
        if recorded.version_id is not None:
            found = await self._head(terms.path, recorded.version_id)
            if found is not None:
                return found if found.size_bytes == recorded.size_bytes else None
        found = await self._head(terms.path)
        if found is None or found.size_bytes != recorded.size_bytes:
            return None
        if found.sha256 is not None and recorded.sha256 is not None:
            # It says more than the ETag, which is an MD5 in most stores.
            return found if found.sha256 == recorded.sha256 else None
        return found if found.etag == recorded.etag else None

    async def _head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        headers = {"x-amz-checksum-mode": "ENABLED"}
        at = self._now()
        url = await self._ours.sign(
            "HEAD",
            key,
            at=at,
            until=at + _OWN_LIFETIME,
            query={} if version_id is None else {"versionId": version_id},
            headers=headers,
        )
        answer = await self._sender.send("HEAD", url, headers, tries=TRIES)
        if answer.status == 200:
            return self._stored(answer.headers)
        # 400, 405: not how this store names a version, as after a move from another; the version is a delete marker.
        if answer.status == 404 or (version_id is not None and answer.status in (400, 405)):
            # Said of a bucket that is gone, too: then nothing may be taken for lost.
            await self._require_bucket()
            return None
        raise Unavailable(f"{self._store}: {_status(answer)}")

    async def _require_bucket(self) -> None:
        at = self._now()
        url = await self._ours.sign("HEAD", "", at=at, until=at + _OWN_LIFETIME)
        answer = await self._sender.send("HEAD", url, {}, tries=TRIES)
        if answer.status == 404:
            raise Unavailable(f"{self._store}: there is no such bucket")
        if answer.status != 200:
            raise Unavailable(f"{self._store}: {_status(answer)}")

    def _stored(self, headers: Mapping[str, str]) -> StoredObject:
        try:
            size_bytes, etag = int(headers["Content-Length"]), headers["ETag"]
        except (KeyError, ValueError):
            raise Unavailable(f"{self._store}: HEAD came back without a length or an ETag") from None
        return StoredObject(
            size_bytes=size_bytes, etag=etag.strip('"'), sha256=sha256_of(headers), version_id=version_of(headers)
        )

    async def _delete(self, path: StoragePath) -> bool:
        """`False` when the store does not give some of it up: it is locked, or the right is missing."""
        with as_unavailable(self._store):
            try:
                await delete_every_version(self._client, self._bucket, path)
            except ClientError as error:
                if is_denied(error) and error.operation_name == "DeleteObject":
                    return False
                raise
        return True

    def _trial(self) -> AbstractAsyncContextManager[Trial]:
        return open_trial(self._client, self._sender, self._bucket, self._ours, self._now)

    async def _abort(self, key: str, upload_id: str) -> bool:
        try:
            await self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise
            # Somebody else has ended it.
            return False
        return True


@asynccontextmanager
async def open_s3(location: S3Location, now: Clock, patience: Patience = PATIENCE) -> AsyncIterator[S3Storage]:
    """The bucket, on one client and one HTTP session for as long as the block lasts. Nothing is asked of it yet.

    Credentials are found as every tool of AWS' finds them: environment, files, roles.

    Raises:
        Unavailable: what the environment or AWS' files say cannot be read.
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
                    config=_config(location, patience),
                )
            )
            ca_bundle = session.get_config_variable("ca_bundle")
            sender = await stack.enter_async_context(open_sender(location.address.origin, patience, ca_bundle))
        yield S3Storage(
            client,
            sender,
            location.bucket,
            Presigner(address=location.address, region=location.region, credentials=credentials),
            Presigner(address=location.public_address, region=location.region, credentials=credentials),
            now,
        )


def _config(location: S3Location, patience: Patience) -> AioConfig:
    return AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": location.addressing},
        connect_timeout=patience.connect_seconds,
        read_timeout=patience.answer_seconds,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
        max_pool_connections=64,
        # AWS' newer checksums are unknown to other servers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # AWS_ENDPOINT_URL is for other programs: signed URLs must name the host that we do.
        ignore_configured_endpoint_urls=True,
    )


def _status(answer: Answer) -> str:
    match answer.status:
        case 301 | 307 | 308:
            region = answer.headers.get("x-amz-bucket-region")
            return (
                f"it is elsewhere; its region is {region}" if region else "it is elsewhere; check region and endpoint"
            )
        case 400 | 401 | 403:
            return (
                f"the request was refused ({answer.status}): the credentials are wrong, or lack s3:GetObject or "
                "s3:ListBucket, or the region is wrong, or the clock of this machine is"
            )
        case 429 | 503:
            return f"it asks for fewer requests ({answer.status})"
        case status:
            return f"it answered {status}"
