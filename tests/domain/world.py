"""`World`: a complete service on the adapters in memory, with a clock that the test moves."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, NoReturn, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.memory.documents import MemoryDocuments
from adapters.memory.storage import MemoryStorage
from domain.access import Caller, Workspace
from domain.documents import Document, StoredObject
from domain.entity_links import EntityLink
from domain.ids import ApiKeyId
from domain.paths import StoragePath
from domain.rate_limits import Plan, Plans, Window
from domain.use_cases import UseCases
from ports.outcomes import LinkAdded
from ports.system import Unavailable
from tests.clock import StillClock
from tests.domain.samples import CALLER
from tests.memory import memory_ports

MINUTE, DAY = 60, 86_400
PLANS: Plans = {
    Plan.STARTER: (Window(3, MINUTE), Window(5, DAY)),
    Plan.PRO: (Window(50, MINUTE), Window(1000, DAY)),
    Plan.ORG: (Window(200, MINUTE), Window(10_000, DAY)),
}


class NeverCalled:
    """A replacement of any port. Every call of it fails the test."""

    def __getattr__(self, verb: str) -> NoReturn:
        raise AssertionError(f"{verb} was called")

    def __call__(self, *_: object) -> NoReturn:
        raise AssertionError("a clock, or a source of ids or secrets, was called")


NEVER_CALLED: Any = NeverCalled()


class Instead:
    """A port of which the test has replaced some methods."""

    def __init__(self, port: object, **methods: Callable[..., object]) -> None:
        self._port = port
        self.__dict__.update(methods)

    def __getattr__(self, method: str) -> Any:
        return getattr(self._port, method)


async def unavailable(*_: object, **__: object) -> NoReturn:
    """Raise the error that every adapter raises if its server cannot be reached."""
    raise Unavailable("black hole")


class World:
    """The service under test: the ports in memory, all use cases, and methods for common steps of tests."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.ports = memory_ports(self.clock, "https://files.test")
        self.use_cases = UseCases.of(self.ports, PLANS)
        self.new_id = self.ports.new_id
        self.workspaces = self.ports.workspaces
        self.keys = self.ports.api_keys
        self.documents = cast("MemoryDocuments", self.ports.documents)
        self.storage = cast("MemoryStorage", self.ports.storage)
        self.ledger = self.ports.ledger
        self.deployments = self.ports.deployments
        self.create_workspace = self.use_cases.create_workspace
        self.update_workspace = self.use_cases.update_workspace
        self.mint_api_key = self.use_cases.mint_api_key
        self.admit_request = self.use_cases.admit_request
        self.create_api_key = self.use_cases.create_api_key
        self.list_api_keys = self.use_cases.list_api_keys
        self.revoke_api_key = self.use_cases.revoke_api_key
        self.get_usage = self.use_cases.get_usage
        self.request_upload = self.use_cases.request_upload
        self.create_document = self.use_cases.create_document
        self.get_document = self.use_cases.get_document
        self.find_documents = self.use_cases.find_documents
        self.find_linked_documents = self.use_cases.find_linked_documents
        self.list_folders = self.use_cases.list_folders
        self.list_tags = self.use_cases.list_tags
        self.patch_document = self.use_cases.patch_document
        self.delete_document = self.use_cases.delete_document
        self.link_document = self.use_cases.link_document
        self.unlink_document = self.use_cases.unlink_document
        self.move_folder = self.use_cases.move_folder
        self.delete_folder = self.use_cases.delete_folder
        self.claim_store = self.use_cases.claim_store
        self.compare_store = self.use_cases.compare_store
        self.advance_generation = self.use_cases.advance_generation
        self.adopt_store = self.use_cases.adopt_store
        self.sweep = self.use_cases.sweep

    async def workspace(self, *, quota_bytes: int = 1000, plan: Plan = Plan.STARTER) -> Workspace:
        """Create a workspace."""
        return await self.create_workspace("Acme", plan, quota_bytes)

    async def caller(self, *, quota_bytes: int = 1000) -> Caller:
        """Return a caller with every permission, in a new workspace."""
        home = await self.workspace(quota_bytes=quota_bytes)
        key_id = ApiKeyId("key_" + self.new_id(self.clock()))
        return replace(CALLER, workspace_id=home.id, user_id=home.owner_id, key_id=key_id)

    async def upload(self, caller: Caller, content: bytes = b"%PDF-1.7", name: str = "a.pdf") -> StoragePath:
        """Upload an object through a signed URL. Return its path."""
        upload = await self.request_upload(caller, {"name": name, "mime_type": "application/pdf"})
        path, query = followed(upload.request.url)
        terms = self.storage.open_upload(path, query, self.clock())
        assert terms is not None
        assert isinstance(await self.storage.write(terms, _pieces(content)), StoredObject)
        return upload.path

    async def storage_paths(self) -> set[str]:
        """Return the object keys of all stored objects."""
        return {item.key async for page in self.storage.list("workspaces/") for item in page}

    async def record(self, caller: Caller, content: bytes = b"%PDF-1.7", **changes: object) -> Document:
        """Upload an object and record a document."""
        path = await self.upload(caller, content)
        return (await self.create_document(caller, members(path, **changes), None)).document

    async def link(self, caller: Caller, document: Document, **changes: object) -> EntityLink:
        """Link the document to an entity, by default to a contact."""
        sent = {"entity_type": "contact", "entity_id": "c-1", **changes}
        added = await self.link_document(caller, document.id, sent, None)
        assert isinstance(added, LinkAdded)
        return added.link

    async def folders(self, caller: Caller, **query: object) -> dict[str, int]:
        """Return the folders directly below the root or `parent`, each with its number of documents."""
        rows, _ = await self.list_folders(caller, query)
        return {row.folder: row.documents for row in rows.rows}


def members(path: str, **changes: object) -> dict[str, object]:
    """Return the members of a create: the required ones with default values, and the given ones."""
    return {"name": "a.pdf", "mime_type": "application/pdf", "storage_path": path, **changes}


def followed(url: str) -> tuple[str, dict[str, str]]:
    """Return the path and the query of a signed URL."""
    parts = urlsplit(url)
    return unquote(parts.path).removeprefix("/storage/"), dict(parse_qsl(parts.query))


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
