"""The operations of the API, one function each. `client.py` makes them methods of both clients."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from dossier_client.api import Api, data_of, segment
from dossier_client.errors import expected
from dossier_client.models import (
    ApiKey,
    Document,
    EntityLink,
    Folder,
    LinkedDocument,
    MovedFolder,
    Page,
    Tag,
    UploadUrl,
    Usage,
    read,
    read_document,
)
from dossier_client.steps import Reply, Steps

MOST_PER_PAGE = 100

_PLURALS = {"company": "companies"}
"""The entity types whose plural in paths is not made with an s."""


def request_upload_url(
    api: Api, name: str, mime_type: str, *, size_bytes: int | None = None, sha256: str | None = None
) -> Steps[UploadUrl]:
    """Return a signed URL for one upload. With a size or a SHA-256, it takes only a file that has them."""
    body = {"name": name, "mime_type": mime_type, "size_bytes": size_bytes, "sha256": sha256}
    return read(UploadUrl, data_of((yield from api.call("POST", "/v1/documents/upload-url", body=body))))


def create(
    api: Api,
    storage_path: str,
    name: str,
    mime_type: str,
    *,
    size_bytes: int | None = None,
    description: str | None = None,
    folder: str | None = None,
    tags: Sequence[str] = (),
    idempotency_key: str | None = None,
) -> Steps[Document]:
    """Record the object at a storage path as a document."""
    body = {
        "name": name,
        "mime_type": mime_type,
        "storage_path": storage_path,
        "size_bytes": size_bytes,
        "description": description,
        "folder": folder,
        "tags": list(tags),
    }
    return _document((yield from api.call("POST", "/v1/documents", body=body, idempotency_key=idempotency_key)))


def get(api: Api, document_id: str, *, download: bool = True, disposition: str | None = None) -> Steps[Document]:
    """Return a document, with a download URL unless `download` is false."""
    query = {"download": _flag(download), "disposition": disposition}
    return _document((yield from api.call("GET", _path(document_id), query=query)))


def find(
    api: Api,
    *,
    folder: str | None = None,
    recursive: bool | None = None,
    tags: Sequence[str] = (),
    mime_type: str | None = None,
    search: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sha256: str | None = None,
    per_page: int = MOST_PER_PAGE,
    cursor: str | None = None,
) -> Steps[Page]:
    """Return a page of the documents that pass all filters, newest first. `cursor` is the `next_cursor` of a page."""
    query = {
        "folder": folder,
        "recursive": None if recursive is None else _flag(recursive),
        "tag": list(tags) or None,
        "mime_type": mime_type,
        "search": search,
        "created_after": created_after and created_after.isoformat(),
        "created_before": created_before and created_before.isoformat(),
        "sha256": sha256,
        "per_page": per_page,
        "cursor": cursor,
    }
    reply = yield from api.call("GET", "/v1/documents", query=query)
    with expected(reply):
        answer = json.loads(reply.body)
        meta = answer["meta"]
        documents = tuple(read_document(row) for row in answer["data"]["documents"])
        return Page(documents, meta["total"], meta["total_is_exact"], meta["next_cursor"])


class Changes(TypedDict, total=False):
    """The members of a document that a change replaces. None clears a member that can be empty."""

    name: str
    description: str | None
    folder: str | None
    tags: Sequence[str] | None
    mime_type: str


def update(
    api: Api, document_id: str, changes: Changes, *, if_match: str | None = None, idempotency_key: str | None = None
) -> Steps[Document | None]:
    """Change a document, and return it; None if the API key lacks `read:documents`, because it is not shown then.

    With `if_match`, the ETag of a document that was read, a change by another client since then raises
    `PreconditionFailed`.
    """
    reply = yield from api.call(
        "PATCH", _path(document_id), body={**changes}, headers=_if_match(if_match), idempotency_key=idempotency_key
    )
    return _document(reply) if "storage_path" in data_of(reply) else None


def delete(
    api: Api,
    document_id: str,
    *,
    hard: bool = False,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> Steps[None]:
    """Delete a document. With `hard`, its file is deleted before this returns; otherwise within the hour."""
    query = {"hard": _flag(hard) if hard else None}
    yield from api.call(
        "DELETE", _path(document_id), query=query, headers=_if_match(if_match), idempotency_key=idempotency_key
    )


def link(
    api: Api,
    document_id: str,
    entity_type: str,
    entity_id: str,
    *,
    role: str | None = None,
    idempotency_key: str | None = None,
) -> Steps[EntityLink]:
    """Link a document to an entity, and return the link: a new one, or the one that exists already."""
    body = {"entity_type": entity_type, "entity_id": entity_id, "role": role}
    reply = yield from api.call("POST", _path(document_id) + "/link", body=body, idempotency_key=idempotency_key)
    return read(EntityLink, data_of(reply))


def unlink(api: Api, document_id: str, link_id: str, *, idempotency_key: str | None = None) -> Steps[None]:
    """Remove an entity link."""
    yield from api.call("DELETE", f"{_path(document_id)}/link/{segment(link_id)}", idempotency_key=idempotency_key)


def linked_documents(
    api: Api,
    entity_type: str,
    entity_id: str,
    *,
    role: str | None = None,
    page: int = 1,
    per_page: int = MOST_PER_PAGE,
) -> Steps[Sequence[LinkedDocument]]:
    """Return a page of the documents that are linked to an entity."""
    plural = _PLURALS.get(entity_type, entity_type + "s")
    path = f"/v1/{segment(plural)}/{segment(entity_id)}/documents"
    reply = yield from api.call("GET", path, query={"role": role, "page": page, "per_page": per_page})
    return tuple(read(LinkedDocument, row) for row in data_of(reply)["documents"])


def folders(
    api: Api, *, parent: str | None = None, page: int = 1, per_page: int = MOST_PER_PAGE
) -> Steps[Sequence[Folder]]:
    """Return a page of the folders directly below `parent`, or of the top folders."""
    reply = yield from api.call("GET", "/v1/folders", query={"parent": parent, "page": page, "per_page": per_page})
    return tuple(read(Folder, row) for row in data_of(reply)["folders"])


def move_folder(api: Api, source: str, target: str, *, idempotency_key: str | None = None) -> Steps[MovedFolder | None]:
    """Move a folder with everything below it; None if the API key lacks `read:documents`."""
    body = {"from": source, "to": target}
    data = data_of((yield from api.call("PATCH", "/v1/folders", body=body, idempotency_key=idempotency_key)))
    return read(MovedFolder, data) if "documents" in data else None


def delete_folder(api: Api, folder: str, *, idempotency_key: str | None = None) -> Steps[None]:
    """Delete a folder without documents, with the folders below it."""
    yield from api.call("DELETE", "/v1/folders", query={"folder": folder}, idempotency_key=idempotency_key)


def tags(api: Api, *, page: int = 1, per_page: int = MOST_PER_PAGE) -> Steps[Sequence[Tag]]:
    """Return a page of the tags, with the number of documents of each."""
    reply = yield from api.call("GET", "/v1/tags", query={"page": page, "per_page": per_page})
    return tuple(read(Tag, row) for row in data_of(reply)["tags"])


def usage(api: Api) -> Steps[Usage]:
    """Return the quota of the workspace and what of it is used."""
    return read(Usage, data_of((yield from api.call("GET", "/v1/usage"))))


def api_keys(
    api: Api,
    *,
    include_revoked: bool = False,
    search: str | None = None,
    page: int = 1,
    per_page: int = MOST_PER_PAGE,
) -> Steps[Sequence[ApiKey]]:
    """Return a page of the API keys of the workspace."""
    query = {"include_revoked": _flag(include_revoked), "search": search, "page": page, "per_page": per_page}
    reply = yield from api.call("GET", "/v1/api-keys", query=query)
    return tuple(read(ApiKey, row) for row in data_of(reply)["api_keys"])


def create_api_key(
    api: Api,
    name: str,
    permissions: Sequence[str],
    *,
    description: str | None = None,
    rate_limit_tier: str | None = None,
    expires_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> Steps[ApiKey]:
    """Create an API key. The returned value is the only one that contains the key itself."""
    body = {
        "name": name,
        "permissions": list(permissions),
        "description": description,
        "rate_limit_tier": rate_limit_tier,
        "expires_at": expires_at and expires_at.isoformat(),
    }
    given = {member: value for member, value in body.items() if value is not None}
    return read(
        ApiKey, data_of((yield from api.call("POST", "/v1/api-keys", body=given, idempotency_key=idempotency_key)))
    )


def revoke_api_key(api: Api, api_key_id: str, *, idempotency_key: str | None = None) -> Steps[None]:
    """Revoke an API key. Every process of the server refuses it within a second."""
    yield from api.call("DELETE", f"/v1/api-keys/{segment(api_key_id)}", idempotency_key=idempotency_key)


def _path(document_id: str) -> str:
    return f"/v1/documents/{segment(document_id)}"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _if_match(etag: str | None) -> Mapping[str, str]:
    return {} if etag is None else {"If-Match": etag}


def _document(reply: Reply) -> Document:
    return read_document(data_of(reply), reply.headers.get("etag"))
