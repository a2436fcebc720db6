"""Signed requests to the objects of one bucket, at one of its addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiobotocore.credentials import AioCredentials

from adapters.s3.failures import NO_CREDENTIALS, as_unavailable
from adapters.s3.location import Address
from adapters.s3.sigv4 import LIFETIME_MAX_SECONDS, Credentials, presign
from ports.system import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Presigner:
    """Signs with the credentials as they are at the moment: those of a role change."""

    address: Address
    region: str
    credentials: AioCredentials | None

    async def sign(
        self,
        method: str,
        key: str,
        *,
        at: datetime,
        until: datetime,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """A URL; the bucket's own, for the key ''. `headers`, named in lower case, must be sent with it as they are."""
        address = self.address
        # Whole seconds are all that a signature knows. What is to have ended already is signed as in its last second.
        at = min(at, until - timedelta(seconds=1)).replace(microsecond=0)
        return address.origin + presign(
            method,
            address.host,
            # Without a key, the bucket itself: path-style, that is the path without its last slash.
            (address.path + key) if key else (address.path.rstrip("/") or "/"),
            query=query or {},
            headers=headers or {},
            at=at,
            lifetime_seconds=min(int((until - at).total_seconds()), LIFETIME_MAX_SECONDS),
            credentials=await self._frozen(),
            region=self.region,
        )

    async def _frozen(self) -> Credentials:
        if self.credentials is None:
            raise Unavailable(NO_CREDENTIALS)
        with as_unavailable(self.address.origin):
            # Asks whoever lends them only when they are about to end.
            frozen = await self.credentials.get_frozen_credentials()
        if frozen.access_key is None or frozen.secret_key is None:
            raise Unavailable(NO_CREDENTIALS)
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)
