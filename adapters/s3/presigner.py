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
    """Signs requests with the current credentials. The credentials of a role are renewed while Dossier runs."""

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
        """Return a URL for an object; for the bucket if `key` is empty.

        The client must send `headers`, whose names are in lower case, exactly as given.

        Raises:
            Unavailable: there are no credentials.
        """
        address = self.address
        # A signature has whole seconds and lasts at least one. A URL that must have expired already is signed with the
        # time of its last second.
        at = min(at, until - timedelta(seconds=1)).replace(microsecond=0)
        return address.origin + presign(
            method,
            address.host,
            # A path-style URL of the bucket itself has no slash at the end.
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
            # This call renews the credentials only if they are about to expire.
            frozen = await self.credentials.get_frozen_credentials()
        if frozen.access_key is None or frozen.secret_key is None:
            raise Unavailable(NO_CREDENTIALS)
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)
