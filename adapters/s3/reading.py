"""Reading size, ETag, checksum and version of an object with a signed HEAD request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from adapters.s3.headers import sha256_of, version_of
from adapters.s3.presigner import Presigner
from adapters.s3.sending import ATTEMPTS, Response, Sender
from domain.documents import StoredObject
from ports.system import Clock, Unavailable

# Dossier sends the request at once. The URL is valid for the time by which two clocks may differ, and no longer, in
# case it leaks.
_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReader:
    """Reads the facts of objects in one bucket. `store` is the name of the bucket in error messages."""

    sender: Sender
    presigner: Presigner
    now: Clock
    store: str

    async def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """Return the object at the key, or one version of it; `None` if the bucket has none.

        Raises:
            Unavailable: the store gave no usable response, or the bucket does not exist.
        """
        headers = {"x-amz-checksum-mode": "ENABLED"}
        response = await self._send(key, {} if version_id is None else {"versionId": version_id}, headers)
        if response.status == 200:
            return self._stored(response.headers)
        # 400 means that the store has another form of version ids, as after a move from another store. 405 means a
        # delete marker.
        if response.status == 404 or (version_id is not None and response.status in (400, 405)):
            # A store also answers 404 if the bucket is missing. Then the object must not be reported as missing.
            await self._require_bucket()
            return None
        raise Unavailable(f"{self.store}: {_explain(response)}")

    async def _require_bucket(self) -> None:
        response = await self._send("", {}, {})
        if response.status == 404:
            raise Unavailable(f"{self.store}: there is no such bucket")
        if response.status != 200:
            raise Unavailable(f"{self.store}: {_explain(response)}")

    async def _send(self, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        at = self.now()
        url = await self.presigner.sign("HEAD", key, at=at, until=at + _LIFETIME, query=query, headers=headers)
        return await self.sender.send("HEAD", url, headers, attempts=ATTEMPTS)

    def _stored(self, headers: Mapping[str, str]) -> StoredObject:
        try:
            size_bytes, etag = int(headers["Content-Length"]), headers["ETag"]
        except (KeyError, ValueError):
            raise Unavailable(f"{self.store}: the response to HEAD has no length or no ETag") from None
        return StoredObject(
            size_bytes=size_bytes, etag=etag.strip('"'), sha256=sha256_of(headers), version_id=version_of(headers)
        )


def _explain(response: Response) -> str:
    match response.status:
        case 301 | 307 | 308:
            region = response.headers.get("x-amz-bucket-region")
            return f"the bucket is elsewhere; {f'its region is {region}' if region else 'check region and endpoint'}"
        case 400 | 401 | 403:
            return (
                f"the request was refused ({response.status}): the credentials are wrong, or lack s3:GetObject or "
                "s3:ListBucket, or the region is wrong, or the clock of this machine is"
            )
        case 429 | 503:
            return f"the store asks for fewer requests ({response.status})"
        case status:
            return f"the store responded with status {status}"
