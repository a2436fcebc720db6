"""Examples of every body. The code that renders responses renders them too, so that they cannot become invalid."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adapters.http.description.schemas import Json
from adapters.http.wire.api_keys import ApiKeyCreated, ApiKeyList, ApiKeyRow, CreateApiKeyBody
from adapters.http.wire.documents import (
    CreateDocumentBody,
    DocumentChange,
    DocumentDetail,
    DocumentList,
    DocumentListMeta,
    DocumentRecord,
    FoundDocuments,
    PatchDocumentBody,
    RequestUploadBody,
    UploadLink,
)
from adapters.http.wire.entity_links import (
    ExistingLinkRecord,
    LinkDocumentBody,
    LinkedDocumentList,
    LinkedDocumentRow,
    LinkRecord,
)
from adapters.http.wire.envelope import Envelope, Paged, PageMeta
from adapters.http.wire.folders import (
    FolderList,
    FolderRow,
    MovedFolder,
    MovedFolderPath,
    MoveFolderBody,
    TagList,
    TagRow,
)
from adapters.http.wire.operations import Health, UsageReport
from domain.access import ApiKey, Permission
from domain.documents import Document, StoredObject
from domain.entity_links import EntityLink, EntityType
from domain.ids import ApiKeyId, DocumentId, EntityLinkId, UserId, WorkspaceId
from domain.paths import FolderPath, StoragePath
from domain.rate_limits import Tier
from ports.queries import DocumentWithLinks, LinkedDocument, Usage
from ports.storage import SignedRequest

_ULID = "01HY0000000000000000000000"
# The checksum of this API key is wrong, so that no scanner for leaked secrets reports it.
_SECRET = "wbk_4fT9" + "0" * 34
_AT = datetime(2026, 4, 17, 10, 45, tzinfo=UTC)
_PATH = StoragePath(f"workspaces/ws_{_ULID}/documents/{_ULID}/Acme-NDA-2026.pdf")
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_DOCUMENT = Document(
    id=DocumentId(f"doc_{_ULID}"),
    workspace_id=WorkspaceId(f"ws_{_ULID}"),
    name="Acme-NDA-2026.pdf",
    description=None,
    mime_type="application/pdf",
    storage_path=_PATH,
    stored=StoredObject(size_bytes=183204, etag="", sha256=_SHA256),
    folder=FolderPath("/clients/acme/ndas"),
    tags=("nda", "confidentiality"),
    revision=1,
    created_by=UserId(f"usr_{_ULID}"),
    created_by_key=ApiKeyId(f"key_{_ULID}"),
    created_at=_AT,
    updated_at=_AT,
)
_LINK = EntityLink(
    id=EntityLinkId(f"dlnk_{_ULID}"),
    document_id=_DOCUMENT.id,
    entity_type=EntityType.COMPANY,
    entity_id="acme-17",
    role="signed agreement",
    created_at=_AT,
)
_DOWNLOAD = SignedRequest(
    method="GET",
    url=f"https://files.example.com/{_PATH}?X-Amz-Expires=900&X-Amz-Signature=…",
    headers={},
    expires_at=_AT + timedelta(minutes=15),
)
_KEY = ApiKey(
    id=ApiKeyId(f"key_{_ULID}"),
    workspace_id=WorkspaceId(f"ws_{_ULID}"),
    user_id=UserId(f"usr_{_ULID}"),
    name="Intake form",
    prefix="wbk_4fT9",
    digest=bytes(32),
    permissions=frozenset({Permission.READ_DOCUMENTS, Permission.WRITE_DOCUMENTS}),
    tier=Tier.STANDARD,
    created_at=_AT,
    expires_at=None,
    revoked_at=None,
    last_used_at=_AT,
)
_LISTED = PageMeta(page=1, per_page=25, total=1)


def to_json(body: msgspec.Struct) -> Any:
    """Return a body as plain JSON values, as a client would parse them."""
    return json.loads(msgspec.json.encode(body))


BODIES: Mapping[type[msgspec.Struct], Json] = {
    RequestUploadBody: {
        "name": _DOCUMENT.name,
        "mime_type": _DOCUMENT.mime_type,
        "size_bytes": 183204,
        "sha256": _SHA256,
    },
    CreateDocumentBody: {
        "name": _DOCUMENT.name,
        "mime_type": _DOCUMENT.mime_type,
        "storage_path": _PATH,
        "size_bytes": 183204,
        "folder": _DOCUMENT.folder,
        "tags": list(_DOCUMENT.tags),
    },
    PatchDocumentBody: {"description": "Countersigned copy.", "folder": "/clients/acme/signed"},
    LinkDocumentBody: {"entity_type": "company", "entity_id": "acme-17", "role": "signed agreement"},
    MoveFolderBody: {"from": "/clients/acme", "to": "/clients/acme-ltd"},
    CreateApiKeyBody: {
        "name": _KEY.name,
        "permissions": sorted(_KEY.permissions),
        # The time is far in the future, so that the example is valid if a client sends it unchanged.
        "expires_at": "2099-12-31T23:59:59Z",
    },
}
"""The example of each request body."""

_SUCCESSES: Mapping[Any, msgspec.Struct] = {
    Envelope[UploadLink]: Envelope(
        UploadLink(
            upload_url=f"https://files.example.com/{_PATH}?X-Amz-Expires=900&X-Amz-Signature=…",
            method="PUT",
            headers={
                "Content-Type": _DOCUMENT.mime_type,
                "Content-Length": "183204",
                "If-None-Match": "*",
                "x-amz-checksum-sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
            },
            storage_path=_PATH,
            expires_at=_AT + timedelta(minutes=15),
        )
    ),
    Envelope[DocumentRecord]: Envelope(DocumentRecord.of(_DOCUMENT)),
    Envelope[DocumentDetail]: Envelope(DocumentDetail.of(DocumentWithLinks(_DOCUMENT, (_LINK.entity,)), _DOWNLOAD)),
    Envelope[DocumentChange]: Envelope(
        DocumentChange(id=_DOCUMENT.id, description="Countersigned copy.", folder="/clients/acme/signed")
    ),
    FoundDocuments: FoundDocuments(
        DocumentList([DocumentRecord.of(_DOCUMENT)]), DocumentListMeta(1, 25, 1, True, None)
    ),
    Envelope[LinkRecord]: Envelope(LinkRecord.of(_LINK)),
    Envelope[ExistingLinkRecord]: Envelope(
        ExistingLinkRecord(_LINK.id, _LINK.document_id, _LINK.entity_type, _LINK.entity_id)
    ),
    Paged[LinkedDocumentList]: Paged(
        LinkedDocumentList([LinkedDocumentRow.of(LinkedDocument(_DOCUMENT, _LINK))]), _LISTED
    ),
    Envelope[MovedFolder]: Envelope(MovedFolder("/clients/acme-ltd", 12, documents_is_exact=True)),
    Envelope[MovedFolderPath]: Envelope(MovedFolderPath("/clients/acme-ltd")),
    Paged[FolderList]: Paged(FolderList([FolderRow("/clients", 12)]), _LISTED),
    Paged[TagList]: Paged(TagList([TagRow("nda", 12)]), _LISTED),
    Envelope[ApiKeyCreated]: Envelope(ApiKeyCreated.of(_KEY, _SECRET)),
    Paged[ApiKeyList]: Paged(ApiKeyList([ApiKeyRow.of(_KEY)]), _LISTED),
    Envelope[UsageReport]: Envelope(UsageReport.of(Usage(used_bytes=183204, quota_bytes=10**10, documents=1))),
    Envelope[Health]: Envelope(Health("ready", {"database": "ok", "storage": "ok"})),
}
"""The example of each successful body, by its type."""

PATCHED_DOCUMENT = to_json(Envelope(DocumentDetail.of(DocumentWithLinks(_DOCUMENT, (_LINK.entity,)))))
"""The response to a PATCH, which contains no download URL."""


def success_example(type_: Any) -> Any:
    """Return the example of a successful body of this type."""
    return to_json(_SUCCESSES[type_])
