"""The peer's statements, built once, so that a request only looks up the compiled text of each.

They use Core on the models' tables: an ORM statement costs 50 µs more per request, for objects that no request
needs.
"""

from typing import Any, cast

from sqlalchemy import BindParameter, Table, and_, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from bench.peers.tables import ApiKey, Document, Event, Folder, Receipt, StoredObject, Usage, Workspace

# A parameter with the name of a column would be taken for a value to set.
_PREFIX = "the_"


def as_parameters(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts under the names of these statements' parameters."""
    return {_PREFIX + name: value for name, value in facts.items()}


def _parameter(name: str) -> BindParameter[Any]:
    return bindparam(_PREFIX + name)


def _table(model: type[Any]) -> Table:
    return cast("Table", model.__table__)


_WORKSPACES, _USAGE, _KEYS, _FOLDERS, _OBJECTS, _DOCUMENTS, _RECEIPTS, _EVENTS = map(
    _table, (Workspace, Usage, ApiKey, Folder, StoredObject, Document, Receipt, Event)
)

KEY = (
    select(
        _KEYS.c.workspace_id,
        _KEYS.c.id,
        _KEYS.c.user_id,
        _KEYS.c.permissions,
        _KEYS.c.expires_at,
        _KEYS.c.revoked_at,
        _WORKSPACES.c.plan,
    )
    .join(_WORKSPACES, _WORKSPACES.c.id == _KEYS.c.workspace_id)
    .where(_KEYS.c.digest == _parameter("digest"))
)

_SHOWN = (
    select(
        _DOCUMENTS.c.id,
        _DOCUMENTS.c.name,
        _DOCUMENTS.c.description,
        _DOCUMENTS.c.mime_type,
        _DOCUMENTS.c.storage_path,
        _DOCUMENTS.c.tags,
        _DOCUMENTS.c.created_by,
        _DOCUMENTS.c.created_at,
        _DOCUMENTS.c.updated_at,
        _OBJECTS.c.size_bytes,
        _OBJECTS.c.sha256,
        _OBJECTS.c.etag,
        _FOLDERS.c.path,
    )
    .select_from(_DOCUMENTS)
    .join(
        _OBJECTS,
        and_(
            _OBJECTS.c.workspace_id == _DOCUMENTS.c.workspace_id, _OBJECTS.c.storage_path == _DOCUMENTS.c.storage_path
        ),
    )
    .outerjoin(
        _FOLDERS, and_(_FOLDERS.c.workspace_id == _DOCUMENTS.c.workspace_id, _FOLDERS.c.id == _DOCUMENTS.c.folder_id)
    )
    .where(_DOCUMENTS.c.workspace_id == _parameter("workspace_id"))
)
READ = _SHOWN.where(_DOCUMENTS.c.id == _parameter("id"))
LIST = _SHOWN.order_by(_DOCUMENTS.c.id.desc()).offset(_parameter("skip")).limit(_parameter("size"))

USAGE = select(_USAGE.c.used_bytes, _USAGE.c.quota_bytes, _USAGE.c.documents).where(
    _USAGE.c.workspace_id == _parameter("workspace_id")
)

# FOR NO KEY UPDATE: an insert of a row that refers to this one need not wait.
LOCK_USAGE = (
    select(_USAGE.c.used_bytes, _USAGE.c.quota_bytes, _USAGE.c.next_seq)
    .where(_USAGE.c.workspace_id == _parameter("workspace_id"))
    .with_for_update(key_share=True)
)

FIND_RECEIPT = select(_RECEIPTS.c.operation, _RECEIPTS.c.fingerprint, _RECEIPTS.c.facts).where(
    _RECEIPTS.c.workspace_id == _parameter("workspace_id"),
    _RECEIPTS.c.key == _parameter("key"),
    _RECEIPTS.c.expires_at > _parameter("at"),
)

FIND_PATH = select(_OBJECTS.c.document_id).where(
    _OBJECTS.c.workspace_id == _parameter("workspace_id"), _OBJECTS.c.storage_path == _parameter("storage_path")
)

ADD_FOLDERS = insert_or_ignore(_FOLDERS).on_conflict_do_nothing(index_elements=["workspace_id", "path_digest"])

# Several tables per statement, so that a create takes six round trips and not nine.
_OBJECT = (
    insert(_OBJECTS)
    .values(
        workspace_id=_parameter("workspace_id"),
        storage_path=_parameter("storage_path"),
        size_bytes=_parameter("size_bytes"),
        sha256=_parameter("sha256"),
        etag=_parameter("etag"),
        document_id=_parameter("id"),
        state="recorded",
    )
    .cte("object")
)
_FOLDER_ID = (
    select(_FOLDERS.c.id)
    .where(_FOLDERS.c.workspace_id == _parameter("workspace_id"), _FOLDERS.c.path_digest == _parameter("folder_digest"))
    .scalar_subquery()
)
ADD_DOCUMENT = (
    insert(_DOCUMENTS)
    .values(
        workspace_id=_parameter("workspace_id"),
        id=_parameter("id"),
        name=_parameter("name"),
        description=_parameter("description"),
        mime_type=_parameter("mime_type"),
        storage_path=_parameter("storage_path"),
        folder_id=_FOLDER_ID,
        tags=_parameter("tags"),
        search_text=_parameter("search_text"),
        revision=1,
        created_by=_parameter("created_by"),
        created_by_key=_parameter("created_by_key"),
        created_at=_parameter("at"),
        updated_at=_parameter("at"),
    )
    .add_cte(_OBJECT)
)

_EVENT = (
    insert(_EVENTS)
    .values(
        workspace_id=_parameter("workspace_id"),
        seq=_parameter("seq"),
        at=_parameter("at"),
        kind="document.created",
        document_id=_parameter("id"),
        user_id=_parameter("created_by"),
        key_id=_parameter("created_by_key"),
        request_id=_parameter("request_id"),
    )
    .cte("event")
)
_RECEIPT = (
    insert(_RECEIPTS)
    .values(
        workspace_id=_parameter("workspace_id"),
        key=_parameter("key"),
        operation=_parameter("operation"),
        fingerprint=_parameter("fingerprint"),
        facts=_parameter("facts"),
        expires_at=_parameter("expires_at"),
    )
    .cte("receipt")
)
CHARGE = (
    update(_USAGE)
    .where(_USAGE.c.workspace_id == _parameter("workspace_id"))
    .values(
        used_bytes=_USAGE.c.used_bytes + _parameter("size_bytes"),
        documents=_USAGE.c.documents + 1,
        next_seq=_USAGE.c.next_seq + 1,
    )
    .add_cte(_EVENT)
)
CHARGE_WITH_RECEIPT = CHARGE.add_cte(_RECEIPT)
