"""A bucket in which things are tried out."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adapters.s3.failures import as_unavailable, error_code
from adapters.s3.headers import in_lower_case, upload_headers, version_of
from adapters.s3.presigner import Presigner
from adapters.s3.sending import Answer, Sender
from adapters.s3.versions import delete_every_version
from ports.system import Clock, Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

CONTENT = b"what dossier tries out"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TYPE = "text/plain"
_LIFETIME = timedelta(minutes=5)


@dataclass(kw_only=True)
class Trial:
    """A bucket in which things are tried out, under keys that nobody else has. `open_trial` makes one."""

    client: "S3Client"
    sender: Sender
    bucket: str
    presigner: Presigner
    now: Clock
    made: list[str] = field(default_factory=list)
    stored: Answer = field(init=False)
    """The HEAD of an object that lies there."""

    @property
    def store(self) -> str:
        """How it is named in what is told of it."""
        return f"bucket {self.bucket} at {self.sender.store}"

    @property
    def object_key(self) -> str:
        """Where that object lies."""
        return self.made[0]

    def key(self) -> str:
        """A key at which nothing lies; what comes to lie there will be deleted."""
        key = f".dossier/probe-{secrets.token_hex(8)}"
        self.made.append(key)
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
        """Signed now, or then, for five minutes."""
        at = at or self.now()
        return await self.presigner.sign(
            method, key, at=at, until=at + _LIFETIME, query=query, headers=in_lower_case(headers)
        )

    async def put(self, url: str, headers: Mapping[str, str], content: bytes = CONTENT) -> bool:
        """Whether an upload was taken."""
        return self.taken(await self.upload(url, headers, content))

    async def upload(self, url: str, headers: Mapping[str, str], content: bytes = CONTENT) -> Answer:
        """What comes back to an upload; the length that is sent is that of the content."""
        sent = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        return await self.sender.send("PUT", url, sent, body=content)

    def taken(self, answer: Answer) -> bool:
        """Whether the store did what it was asked; raises `Unavailable` unless it did, or refused."""
        if 200 <= answer.status < 300 or 400 <= answer.status < 500:
            return answer.status < 300
        raise Unavailable(f"{self.store}: it answered {answer.status}")

    async def head(self, key: str) -> Answer:
        """What the store says of an object."""
        headers = {"x-amz-checksum-mode": "ENABLED"}
        return await self.sender.send("HEAD", await self.url("HEAD", key, headers), headers)

    async def get(self, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """What somebody gets who has a download URL with such a query."""
        return await self.sender.send("GET", await self.url("GET", key, {}, query=query), headers)

    @property
    def is_versioned(self) -> bool:
        """Whether the object has a version that nothing can replace."""
        return version_of(self.stored.headers) is not None


@asynccontextmanager
async def open_trial(
    client: "S3Client", sender: Sender, bucket: str, presigner: Presigner, now: Clock
) -> AsyncIterator[Trial]:
    """A trial with an object in it, which came through a signed upload such as clients send.

    Raises:
        Unavailable: that could not be done.
    """
    trial = Trial(client=client, sender=sender, bucket=bucket, presigner=presigner, now=now)
    store = trial.store
    try:
        headers = upload_headers(TYPE, len(CONTENT), SHA256)
        key = trial.key()
        answer = await trial.upload(await trial.url("PUT", key, headers), headers)
        if not trial.taken(answer):
            raise Unavailable(f"{store}: a signed upload was refused: {answer.status} {error_code(answer.body)}")
        trial.stored = await trial.head(key)
        if not trial.taken(trial.stored):
            raise Unavailable(f"{store}: what was uploaded cannot be seen: {trial.stored.status}")
        yield trial
    finally:
        with as_unavailable(store):
            for key in trial.made:
                await delete_every_version(client, bucket, key)
