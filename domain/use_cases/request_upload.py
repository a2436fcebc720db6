"""Where a client may put the bytes of a document to be."""

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


@dataclass(frozen=True, slots=True)
class Upload:
    """A signed PUT, and the path to record once it has succeeded."""

    path: StoragePath
    request: SignedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUpload:
    """Get a signed URL to upload the bytes of one document.

    - Send the file with the returned `method` to `upload_url` within 15 minutes, with exactly the returned `headers`;
      then record it with `POST /v1/documents` under the returned `storage_path`.
    - The URL binds the content type, the length when `size_bytes` is given, and the checksum when `sha256` is given:
      anything else is refused and nothing is stored.
    - It can store the file once, and never overwrites: every call returns a new path.
    - A size that does not fit the quota, or is over the upload limit of 5 GiB, is refused here already.
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
        key = f"documents/{self.new_id(at)}/{safe_file_name(draft.name)}"
        terms = UploadTerms(
            path=StoragePath(workspace_prefix(caller.workspace_id) + key),
            mime_type=draft.mime_type,
            size_bytes=draft.size_bytes,
            sha256=draft.sha256,
        )
        return Upload(terms.path, await self.storage.sign_upload(terms, at + SIGNED_URL_LIFETIME))
