"""Receive an upload through a signed URL, for an object store that Dossier serves itself.

The store and the ledger of paths meet here: before bytes are written to the disk, they are reserved in the quota.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from domain.documents import SIGNED_URL_LIFETIME, StoredObject
from domain.errors import DiskFull, ObjectExists, PayloadTooLarge, QuotaExceeded, UploadUnderWay
from domain.paths import StoragePath, workspace_of
from domain.uploads import UPLOAD_LIMIT_BYTES, held_until
from ports.disks import Disks
from ports.ledger import IssuedUpload, ObjectLedger
from ports.outcomes import OverQuota, PathTaken, UploadIssued
from ports.storage import AlreadyStored, ServedStorage, UploadMismatch, UploadTerms
from ports.system import Clock

STEP_BYTES = 8 * 2**20
"""An upload of unknown length reserves this number of bytes at a time. The free disk space is checked as often."""

RENEW_EVERY = timedelta(minutes=10)
"""The interval at which a slow upload extends its reservation, so that the sweeper does not settle it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveUpload:
    """Store the bytes of an upload, within its terms, the quota, the upload limit and the free space of the disk.

    - A signed size or a Content-Length is reserved before the first byte is read. Without either, the
      reservation grows in steps while the bytes arrive.
    - A refused or broken upload stores nothing, and its reservation is the one that its URL was issued with.
    - A stored object keeps a reservation of its size until it is recorded or swept.

    Raises:
        PayloadTooLarge, QuotaExceeded, DiskFull: the upload does not fit. Bytes that were received are deleted.
        UploadUnderWay: another upload to the path has not ended.
        ObjectExists: an object is or was stored at the path.
    """

    ledger: ObjectLedger
    storage: ServedStorage
    disks: Disks
    now: Clock

    async def __call__(
        self, terms: UploadTerms, content_length: int | None, content: AsyncIterator[bytes]
    ) -> StoredObject | UploadMismatch:
        """Store `content`. `content_length` is the header of the request; `None` if the content is sent in chunks.

        Return the stored object, or the first term that the bytes do not meet.
        """
        announced = terms.size_bytes if content_length is None else content_length
        if (announced or 0) > UPLOAD_LIMIT_BYTES:
            raise PayloadTooLarge(UPLOAD_LIMIT_BYTES)
        if await self.disks.are_full(announced or 0):
            raise DiskFull
        async with self.storage.receiving(terms.path) as is_alone:
            if not is_alone:
                raise UploadUnderWay
            # Check this before reserving, because an object that is not recorded yet keeps the reservation of its size.
            if await self.storage.stat(terms.path) is not None:
                raise ObjectExists
            async with self._reserved(terms, announced or 0) as reservation:
                outcome = await self.storage.write(terms, self._bounded(content, reservation))
                match outcome:
                    case StoredObject():
                        await reservation.end_at(outcome.size_bytes)
                        return outcome
                    case AlreadyStored():
                        raise ObjectExists
                    case UploadMismatch():
                        await reservation.end_at(terms.size_bytes or 0)
                        return outcome
                    case _:
                        assert_never(outcome)

    @asynccontextmanager
    async def _reserved(self, terms: UploadTerms, size_bytes: int) -> "AsyncIterator[_Reservation]":
        """Reserve `size_bytes` for the block. If the block fails, restore the reservation that the URL was issued with.

        Call this inside of `receiving`, so that no other upload to the path changes the reservation meanwhile.
        """
        reservation = _Reservation(ledger=self.ledger, now=self.now, path=terms.path, renewed_at=self.now())
        await reservation.grow(size_bytes, size_bytes)
        try:
            yield reservation
        except BaseException:
            # This is also done if the reservation seems unchanged: a call that failed may have changed it.
            await reservation.become(terms.size_bytes or 0)
            raise

    async def _bounded(self, content: AsyncIterator[bytes], reservation: "_Reservation") -> AsyncIterator[bytes]:
        """Yield each piece of the content after reserving its bytes."""
        received = looked_at = 0
        async for piece in content:
            received += len(piece)
            await reservation.cover(received)
            if received - looked_at >= STEP_BYTES:
                looked_at = received
                if await self.disks.are_full(0):
                    raise DiskFull
            yield piece


@dataclass(slots=True, kw_only=True)
class _Reservation:
    """The reservation of an upload while it is received."""

    ledger: ObjectLedger
    now: Clock
    path: StoragePath
    renewed_at: datetime
    size_bytes: int = 0

    async def cover(self, received: int) -> None:
        """Reserve the received bytes, for longer than the time until the next call."""
        if received > self.size_bytes:
            await self.grow(min(received + STEP_BYTES, UPLOAD_LIMIT_BYTES), received)
        elif self.now() - self.renewed_at >= RENEW_EVERY:
            await self.become(self.size_bytes)

    async def grow(self, wanted: int, needed: int) -> None:
        """Reserve as much of `wanted` as fits the quota.

        Raises:
            QuotaExceeded: not even `needed` fits.
            ObjectExists: the path was recorded or condemned in the meantime.
        """
        while True:
            match await self.become(wanted):
                case UploadIssued():
                    return
                case PathTaken():
                    raise ObjectExists
                case OverQuota(limit_bytes, used_bytes, _):
                    # This ends: `wanted` did not fit, so it becomes smaller each time.
                    wanted = limit_bytes - used_bytes
                    if wanted < needed:
                        raise QuotaExceeded(limit_bytes, used_bytes, needed)

    async def end_at(self, size_bytes: int) -> None:
        """Reserve so much after the upload. Most uploads have announced their length, and nothing is left to change."""
        if size_bytes != self.size_bytes:
            await self.become(size_bytes)

    async def become(self, size_bytes: int) -> UploadIssued | OverQuota | PathTaken:
        """Replace the reservation with one of `size_bytes`."""
        at = self.now()
        outcome = await self.ledger.reserve(
            IssuedUpload(
                workspace_id=workspace_of(self.path),
                path=self.path,
                reserved_bytes=size_bytes,
                held_until=held_until(at + SIGNED_URL_LIFETIME, 0),
            )
        )
        if isinstance(outcome, UploadIssued):
            self.size_bytes, self.renewed_at = size_bytes, at
        return outcome
