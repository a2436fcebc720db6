"""Issue a signed URL to upload the bytes of a future document."""

from dataclasses import dataclass

from domain.access import Caller, Permission
from domain.documents import SIGNED_URL_LIFETIME, UploadDraft
from domain.downloads import safe_file_name
from domain.errors import PayloadTooLarge, QuotaExceeded
from domain.members import Members
from domain.paths import StoragePath, workspace_prefix
from ports.documents import DocumentRepository
from ports.storage import ObjectStorage, SignedRequest, UploadTerms
from ports.system import Clock, NewId

UPLOAD_LIMIT_BYTES = 5 * 2**30
"""The largest object that S3 stores with one PUT: 5 GiB."""


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
    - A `size_bytes` that does not fit the quota, or exceeds the upload limit of 5 GiB, is refused immediately.
    """

    documents: DocumentRepository
    storage: ObjectStorage
    now: Clock
    new_id: NewId

    permission = Permission.WRITE_DOCUMENTS

    async def __call__(self, caller: Caller, members: Members) -> Upload:
        caller.require(self.permission)
        draft = UploadDraft.read(members)
        if draft.size_bytes is not None:
            if draft.size_bytes > UPLOAD_LIMIT_BYTES:
                raise PayloadTooLarge(UPLOAD_LIMIT_BYTES)
            usage = await self.documents.usage(caller.workspace_id)
            if usage.used_bytes + draft.size_bytes > usage.quota_bytes:
                raise QuotaExceeded(usage.quota_bytes, usage.used_bytes, draft.size_bytes)

        at = self.now()
        path = f"documents/{self.new_id(at)}/{safe_file_name(draft.name)}"
        terms = UploadTerms(
            path=StoragePath(workspace_prefix(caller.workspace_id) + path),
            mime_type=draft.mime_type,
            size_bytes=draft.size_bytes,
            sha256=draft.sha256,
        )
        return Upload(terms.path, await self.storage.sign_upload(terms, at + SIGNED_URL_LIFETIME))
