"""Issue a signed URL to upload the bytes of a future document."""

from dataclasses import dataclass
from typing import assert_never

from domain.access import Caller, Permission
from domain.documents import SIGNED_URL_LIFETIME, UploadDraft
from domain.downloads import safe_file_name
from domain.errors import DiskFull, Invalid, PayloadTooLarge, QuotaExceeded
from domain.members import Members
from domain.paths import StoragePath, issued_prefix
from domain.uploads import UPLOAD_LIMIT_BYTES, UploadRules, held_until
from ports.disks import Disks
from ports.documents import DocumentRepository
from ports.ledger import IssuedUpload
from ports.outcomes import OverQuota, UploadIssued
from ports.storage import ObjectStorage, SignedRequest, UploadTerms
from ports.system import Clock, NewId


@dataclass(frozen=True, slots=True)
class Upload:
    """A signed PUT, and the storage path to record after it has succeeded."""

    path: StoragePath
    request: SignedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUpload:
    """Get a signed URL to upload the bytes of one document.

    - Within 15 minutes, send the file with the returned `method` to `upload_url`, with exactly the returned `headers`.
      Then record it with `POST /v1/documents` under the returned `storage_path`.
    - The upload must have the media type `mime_type`, the length `size_bytes` if that is sent, and the SHA-256 `sha256`
      if that is sent. Otherwise it is refused, and nothing is stored.
    - The URL stores one file and never overwrites one. Every call returns a new path.
    - `size_bytes` reserves that part of the quota until the file is recorded, or until the URL has expired without an
      upload. A `size_bytes` that does not fit the quota, or exceeds the upload limit of 5 GiB, is refused immediately.
    - Without `size_bytes`, a store that Dossier serves itself reserves what arrives, and refuses the upload as soon as
      it does not fit. On S3, a fixed share of the quota is reserved. An operator may require `size_bytes`.
    """

    documents: DocumentRepository
    storage: ObjectStorage
    disks: Disks
    rules: UploadRules
    now: Clock
    new_id: NewId

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, members: Members) -> Upload:
        caller.require(self.permission)
        draft = UploadDraft.read(members)
        if draft.size_bytes is None and self.rules.require_size:
            raise Invalid({"size_bytes": "is required by the operator of this service; send the size of the file"})
        if draft.size_bytes is not None and draft.size_bytes > UPLOAD_LIMIT_BYTES:
            raise PayloadTooLarge(UPLOAD_LIMIT_BYTES)
        if await self.disks.are_full(draft.size_bytes or 0):
            raise DiskFull

        at = self.now()
        path = f"{issued_prefix(caller.workspace_id)}{self.new_id(at)}/{safe_file_name(draft.name)}"
        terms = UploadTerms(
            path=StoragePath(path),
            mime_type=draft.mime_type,
            size_bytes=draft.size_bytes,
            sha256=draft.sha256,
        )
        reserved_bytes = draft.size_bytes
        if reserved_bytes is None:
            reserved_bytes = 0 if self.storage.binds_unsized_uploads else self.rules.unsized_bytes
        expires_at = at + SIGNED_URL_LIFETIME
        outcome = await self.documents.issue_upload(
            IssuedUpload(
                workspace_id=caller.workspace_id,
                path=terms.path,
                reserved_bytes=reserved_bytes,
                held_until=held_until(expires_at, reserved_bytes),
                # If Dossier serves the store, it reserves again, durably, before it stores a byte. In any other store,
                # the object appears without Dossier, so the ledger must already know its path: see `unissued_uploads`.
                is_durable=not self.storage.binds_unsized_uploads,
            )
        )
        match outcome:
            case UploadIssued():
                return Upload(terms.path, await self.storage.sign_upload(terms, expires_at))
            case OverQuota(limit_bytes, used_bytes, requested_bytes):
                raise QuotaExceeded(limit_bytes, used_bytes, requested_bytes)
            case _:
                assert_never(outcome)
