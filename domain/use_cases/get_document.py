"""Read one document, with a signed URL for its bytes."""

from dataclasses import dataclass

from domain.access import Caller, Permission
from domain.documents import SIGNED_URL_LIFETIME
from domain.downloads import can_be_shown, disposition, served_type
from domain.errors import NotFound, ObjectChanged
from domain.ids import parse_document_id
from ports.documents import DocumentRepository
from ports.queries import DocumentWithLinks
from ports.storage import DownloadTerms, ObjectStorage, SignedRequest
from ports.system import Clock


@dataclass(frozen=True, slots=True)
class Found:
    """A document with its entity links, and the signed GET of its bytes if the client asked for one."""

    record: DocumentWithLinks
    download: SignedRequest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDocument:
    """Read a document, by default with a signed URL to download its bytes.

    - The URL works for 15 minutes, supports Range requests, and saves the file under the document's name. Media types
      that a browser could execute are served as `application/octet-stream`.
    - `disposition=inline` asks for a URL that a browser shows in place. It is honoured for PDF, plain text, raster
      images, audio and video; any other file is still saved.
    - The URL is issued only while the stored bytes are those that were recorded. `download=false` reads only the
      record.
    - `ETag` names the state of everything shown but the signed URL: it changes with the record, with its entity
      links, and when a folder above it is moved. With `If-None-Match`, a document in a state that the client has seen
      is 304, without a new URL.
    """

    documents: DocumentRepository
    storage: ObjectStorage
    now: Clock

    permission = Permission.READ_DOCUMENTS

    async def __call__(self, caller: Caller, document: str, *, download: bool, inline: bool = False) -> Found:
        caller.require(self.permission)
        document_id = parse_document_id(document)
        record = await self.documents.get(caller.workspace_id, document_id) if document_id else None
        if record is None:
            raise NotFound
        if not download:
            return Found(record, None)

        found = record.document
        terms = DownloadTerms(
            path=found.storage_path,
            stored=found.stored,
            mime_type=served_type(found.mime_type),
            disposition=disposition(found.name, inline=inline and can_be_shown(found.mime_type)),
        )
        signed = await self.storage.sign_download(terms, self.now() + SIGNED_URL_LIFETIME)
        if signed is None:
            raise ObjectChanged
        return Found(record, signed)
