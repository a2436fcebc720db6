"""Reading size, ETag, checksum, version and stored headers of an object with a signed HEAD request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from adapters.s3.headers import obstacle_of, sha256_of, version_of
from adapters.s3.presigner import Presigner
from adapters.s3.sending import ATTEMPTS, Response, Sender
from domain.documents import StoredObject
from ports.storage import Unreadable
from ports.system import Clock, Unavailable

# Dossier sends the request at once. The URL is valid for the time by which two clocks may differ, and no longer, in
# case it leaks.
_LIFETIME = timedelta(minutes=5)
# AWS and MinIO use one code for this and other errors, and Ceph another one. All have this sentence of AWS.
_ENCRYPTED = b"stored using a form of Server Side Encryption"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReader:
    """Reads the facts of objects in one bucket. `store` is the name of the bucket in error messages."""

    sender: Sender
    presigner: Presigner
    now: Clock
    store: str

    async def stat(self, key: str) -> StoredObject | Unreadable | None:
        """Return the object at this object key, or why readers would not get its bytes; `None` if the bucket has none.

        Raises:
            Unavailable: the store gave no usable response, or the bucket does not exist.
        """
        response = await self._head(key, None)
        if response is None:
            return None
        if response.status == 400:
            return await self._explain_400(key, response)
        obstacle = obstacle_of(response.headers)
        return self._stored(response.headers) if obstacle is None else Unreadable(obstacle)

    async def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """Return the object at this object key, or one version of it, with any headers; `None` if the bucket has none.

        Raises:
            Unavailable: the store did not say, or the bucket itself is missing.
        """
        response = await self._head(key, version_id)
        if response is None:
            return None
        if response.status == 400:
            raise Unavailable(f"{self.store}: {_explain(response)}")
        return self._stored(response.headers)

    async def _head(self, key: str, version_id: str | None) -> Response | None:
        """Return a response with status 200, or 400 for an object that is not read by version; `None` for no object."""
        query = {} if version_id is None else {"versionId": version_id}
        response = await self._send("HEAD", key, query, {"x-amz-checksum-mode": "ENABLED"})
        if response.status == 200 or (response.status == 400 and version_id is None):
            return response
        # 400 means that the store has another form of version ids, as after a move from another store. 405 means a
        # delete marker.
        if response.status == 404 or (version_id is not None and response.status in (400, 405)):
            # A store also answers 404 if the bucket is missing. Then the object must not be reported as missing.
            await self._require_bucket()
            return None
        raise Unavailable(f"{self.store}: {_explain(response)}")

    async def _explain_400(self, key: str, response: Response) -> Unreadable:
        # The response to a HEAD has no body that would name the cause.
        again = await self._send("GET", key, {}, {"range": "bytes=0-0"})
        if again.status == 400 and _ENCRYPTED in again.body:
            return Unreadable("is encrypted with a key that only its uploader has (SSE-C)")
        raise Unavailable(f"{self.store}: {_explain(response)}")

    async def _require_bucket(self) -> None:
        response = await self._send("HEAD", "", {}, {})
        if response.status == 404:
            raise Unavailable(f"{self.store}: there is no such bucket")
        if response.status != 200:
            raise Unavailable(f"{self.store}: {_explain(response)}")

    async def _send(self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        at = self.now()
        url = await self.presigner.sign(method, key, at=at, until=at + _LIFETIME, query=query, headers=headers)
        return await self.sender.send(method, url, headers, attempts=ATTEMPTS)

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
