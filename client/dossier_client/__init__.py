"""The Python client of Dossier. It knows the HTTP API only, and imports nothing of the server.

`Client` blocks, `AsyncClient` is asynchronous; both have the same methods. Every change carries an idempotency key that
stays the same while the client repeats it, so nothing is done twice.
"""

from dossier_client.client import AsyncClient, Client
from dossier_client.errors import (
    ApiError,
    Conflict,
    Damaged,
    DossierError,
    FileChanged,
    IdempotencyMismatch,
    InsufficientPermissions,
    InvalidKey,
    LinkExpired,
    NotAnswered,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    Unavailable,
    ValidationFailed,
)
from dossier_client.models import (
    ApiKey,
    Document,
    EntityLink,
    Folder,
    LinkedDocument,
    LinkedEntity,
    MovedFolder,
    Page,
    Tag,
    UploadUrl,
    Usage,
)
from dossier_client.operations import Changes
from dossier_client.retries import Patience

__all__ = [
    "ApiError",
    "ApiKey",
    "AsyncClient",
    "Changes",
    "Client",
    "Conflict",
    "Damaged",
    "Document",
    "DossierError",
    "EntityLink",
    "FileChanged",
    "Folder",
    "IdempotencyMismatch",
    "InsufficientPermissions",
    "InvalidKey",
    "LinkExpired",
    "LinkedDocument",
    "LinkedEntity",
    "MovedFolder",
    "NotAnswered",
    "NotFound",
    "Page",
    "Patience",
    "PayloadTooLarge",
    "PreconditionFailed",
    "QuotaExceeded",
    "RateLimited",
    "Tag",
    "Unavailable",
    "UploadUrl",
    "Usage",
    "ValidationFailed",
]
