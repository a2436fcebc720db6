"""Temporary objects in the bucket, with which the checks test it."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adapters.s3.failures import REDIRECTED, as_unavailable, error_code
from adapters.s3.headers import in_lower_case, upload_headers, version_of
from adapters.s3.presigner import Presigner
from adapters.s3.sending import Response, Sender
from adapters.s3.versions import delete_every_version
from ports.system import Clock, Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

CONTENT = b"what dossier tries out"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TYPE = "text/plain"
_LIFETIME = timedelta(minutes=5)
# The time in which the store reads the beginning of every upload of a race.
_HEAD_START_SECONDS = 0.2


@dataclass(kw_only=True)
class Sandbox:
    """A sandbox for checks: unused object keys in the bucket, signed requests to them, and one uploaded object.
    `open_sandbox` creates it."""

    client: "S3Client"
    sender: Sender
    bucket: str
    presigner: Presigner
    now: Clock
    keys: list[str] = field(default_factory=list)
    stored: Response = field(init=False)
    """The response to a HEAD of the uploaded object."""

    @property
    def store(self) -> str:
        """The name of the bucket in error messages."""
        return f"bucket {self.bucket} at {self.sender.store}"

    @property
    def object_key(self) -> str:
        """The object key of the uploaded object."""
        return self.keys[0]

    @property
    def is_versioned(self) -> bool:
        """Whether the uploaded object has a version that is safe from replacement."""
        return version_of(self.stored.headers) is not None

    def key(self) -> str:
        """Return an unused object key. An object that is stored there is deleted with the sandbox."""
        key = f".dossier/probe-{secrets.token_hex(8)}"
        self.keys.append(key)
        return key

    async def url(
        self,
        method: str,
        key: str,
        headers: Mapping[str, str],
        *,
        query: Mapping[str, str] | None = None,
        at: datetime | None = None,
    ) -> str:
        """Return a signed URL that is valid for five minutes from now, or from `at`."""
        at = at or self.now()
        return await self.presigner.sign(
            method, key, at=at, until=at + _LIFETIME, query=query, headers=in_lower_case(headers)
        )

    async def put(self, url: str, headers: Mapping[str, str], content: bytes = CONTENT) -> bool:
        """Upload and return whether the store accepted it."""
        return self.accepted(await self.upload(url, headers, content))

    async def upload(self, url: str, headers: Mapping[str, str], content: bytes = CONTENT) -> Response:
        """Upload with the Content-Length of `content`, whatever `headers` say."""
        sent = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        return await self.sender.send("PUT", url, sent, body=content)

    async def race(self, url: str, headers: Mapping[str, str], uploads: int) -> int:
        """Upload so many contents of one length at once, and return how many the store accepted.

        Each upload ends only when all have begun. A store that compares a condition at the beginning accepts them all.
        """
        began = asyncio.Barrier(uploads)

        async def content(number: int) -> AsyncIterator[bytes]:
            yield CONTENT
            await began.wait()
            await asyncio.sleep(_HEAD_START_SECONDS)
            yield b"%03d" % number

        sent = {**headers, "Content-Length": str(len(CONTENT) + 3)}
        responses = await asyncio.gather(
            *(self.sender.send("PUT", url, sent, body=content(number)) for number in range(uploads)),
            # Some stores close the connection of an upload that has lost.
            return_exceptions=True,
        )
        return sum(1 for response in responses if isinstance(response, Response) and response.status < 300)

    def accepted(self, response: Response) -> bool:
        """Return whether the store accepted a request.

        Raises:
            Unavailable: the store neither accepted nor refused it.
        """
        if 200 <= response.status < 300 or 400 <= response.status < 500:
            return response.status < 300
        if response.status < 400:
            raise Unavailable(f"{self.store} redirects the request: {REDIRECTED}")
        raise Unavailable(f"{self.store}: the store responded with status {response.status}")

    async def head(self, key: str) -> Response:
        """Return the response to a signed HEAD."""
        headers = {"x-amz-checksum-mode": "ENABLED"}
        return await self.sender.send("HEAD", await self.url("HEAD", key, headers), headers)

    async def get(self, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        """Return the response to a GET. Its signed URL contains this query."""
        return await self.sender.send("GET", await self.url("GET", key, {}, query=query), headers)


@asynccontextmanager
async def open_sandbox(
    client: "S3Client", sender: Sender, bucket: str, presigner: Presigner, now: Clock
) -> AsyncIterator[Sandbox]:
    """Upload an object through a signed URL, as clients do, and delete every object of the sandbox at the end.

    Raises:
        Unavailable: the upload failed, or the object cannot be read or deleted.
    """
    sandbox = Sandbox(client=client, sender=sender, bucket=bucket, presigner=presigner, now=now)
    store = sandbox.store
    try:
        headers = upload_headers(TYPE, len(CONTENT), SHA256)
        key = sandbox.key()
        response = await sandbox.upload(await sandbox.url("PUT", key, headers), headers)
        if not sandbox.accepted(response):
            raise Unavailable(f"{store}: a signed upload was refused: {response.status} {error_code(response.body)}")
        sandbox.stored = await sandbox.head(key)
        if not sandbox.accepted(sandbox.stored):
            raise Unavailable(f"{store}: an uploaded object cannot be read: status {sandbox.stored.status}")
        yield sandbox
    finally:
        with as_unavailable(store):
            for key in sandbox.keys:
                await delete_every_version(client, bucket, key)
