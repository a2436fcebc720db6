"""A whole service on the memory adapters, at a time that the test decides."""

from collections.abc import AsyncIterator
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.memory.deployments import MemoryDeployments
from adapters.memory.documents import MemoryDocuments
from adapters.memory.keys import MemoryApiKeys
from adapters.memory.ledger import MemoryLedger
from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.memory.storage import MemoryStorage
from adapters.memory.workspaces import MemoryWorkspaces
from adapters.sealing import SaltedSealing
from adapters.system import Ulids, new_secret
from domain.access import Caller, Permission, Plan, Plans, Window, Workspace
from domain.documents import Document, StoredObject
from domain.ids import KeyId
from domain.links import Link
from domain.paths import StoragePath
from domain.use_cases.admit_request import AdmitRequest
from domain.use_cases.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey
from domain.use_cases.change_document import DeleteDocument, PatchDocument
from domain.use_cases.claim_storage import AdoptStorage, ClaimStorage
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.find_documents import FindDocuments, FindLinkedDocuments, ListFolders, ListTags
from domain.use_cases.get_document import GetDocument
from domain.use_cases.get_usage import GetUsage
from domain.use_cases.links import LinkDocument, UnlinkDocument
from domain.use_cases.move_folder import MoveFolder
from domain.use_cases.provision import CreateWorkspace, MintKey, UpdateWorkspace
from domain.use_cases.request_upload import RequestUpload
from domain.use_cases.sweep import Sweep
from tests.clock import StillClock

MINUTE, DAY = 60, 86_400
PLANS: Plans = {
    Plan.STARTER: (Window(3, MINUTE), Window(5, DAY)),
    Plan.PRO: (Window(50, MINUTE), Window(1000, DAY)),
    Plan.ORG: (Window(200, MINUTE), Window(10_000, DAY)),
}


class NeverAsked:
    """Every port at once, of which nothing may be asked."""

    def __getattr__(self, verb: str) -> NoReturn:
        raise AssertionError(f"{verb} was asked")

    def __call__(self, *_: object) -> NoReturn:
        raise AssertionError("the time, an id or a secret was asked")


NEVER_ASKED: Any = NeverAsked()


class World:
    """One deployment: its adapters, its use cases, and what clients do beside calling them."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.new_id = Ulids()
        self.workspaces = MemoryWorkspaces()
        self.keys = MemoryApiKeys(self.workspaces, self.clock)
        self.documents = MemoryDocuments(self.workspaces, self.clock)
        self.storage = MemoryStorage("https://files.test", self.clock)
        self.ledger = MemoryLedger(self.documents)
        self.deployments = MemoryDeployments()
        self.create_workspace = CreateWorkspace(workspaces=self.workspaces, now=self.clock, new_id=self.new_id)
        self.update_workspace = UpdateWorkspace(workspaces=self.workspaces)
        self.mint_key = MintKey(
            workspaces=self.workspaces, keys=self.keys, now=self.clock, new_id=self.new_id, new_secret=new_secret
        )
        self.admit_request = AdmitRequest(
            keys=self.keys, uses=self.keys, limiter=MemoryRateLimiter(), plans=PLANS, now=self.clock
        )
        self.create_api_key = CreateApiKey(
            keys=self.keys, sealing=SaltedSealing(), now=self.clock, new_id=self.new_id, new_secret=new_secret
        )
        self.list_api_keys = ListApiKeys(keys=self.keys)
        self.revoke_api_key = RevokeApiKey(keys=self.keys, now=self.clock)
        self.get_usage = GetUsage(documents=self.documents)
        self.request_upload = RequestUpload(
            documents=self.documents, storage=self.storage, now=self.clock, new_id=self.new_id
        )
        self.create_document = CreateDocument(
            documents=self.documents, storage=self.storage, now=self.clock, new_id=self.new_id
        )
        self.get_document = GetDocument(documents=self.documents, storage=self.storage, now=self.clock)
        self.find_documents = FindDocuments(documents=self.documents)
        self.find_linked_documents = FindLinkedDocuments(documents=self.documents)
        self.list_folders = ListFolders(documents=self.documents)
        self.list_tags = ListTags(documents=self.documents)
        self.patch_document = PatchDocument(documents=self.documents, now=self.clock)
        self.delete_document = DeleteDocument(documents=self.documents, storage=self.storage, now=self.clock)
        self.link_document = LinkDocument(documents=self.documents, now=self.clock, new_id=self.new_id)
        self.unlink_document = UnlinkDocument(documents=self.documents, now=self.clock)
        self.move_folder = MoveFolder(documents=self.documents, now=self.clock)
        self.claim_storage = ClaimStorage(deployments=self.deployments, storage=self.storage, now=self.clock)
        self.adopt_storage = AdoptStorage(deployments=self.deployments, storage=self.storage, now=self.clock)
        self.sweep = Sweep(
            workspaces=self.workspaces,
            ledger=self.ledger,
            storage=self.storage,
            deployments=self.deployments,
            now=self.clock,
            new_token=new_secret,
        )

    async def workspace(self, *, quota_bytes: int = 1000, plan: Plan = Plan.STARTER) -> Workspace:
        """A workspace nobody else has."""
        return await self.create_workspace("Acme", plan, quota_bytes)

    async def caller(self, *, quota_bytes: int = 1000) -> Caller:
        """Somebody who may do everything, in a workspace of their own."""
        home = await self.workspace(quota_bytes=quota_bytes)
        return Caller(
            workspace_id=home.id,
            user_id=home.owner_id,
            key_id=KeyId("key_" + self.new_id(self.clock())),
            permissions=frozenset(Permission),
            request_id="req_1",
        )

    async def upload(self, caller: Caller, content: bytes = b"%PDF-1.7", name: str = "a.pdf") -> StoragePath:
        """What a client does first: get a link, and put the bytes there."""
        upload = await self.request_upload(caller, {"name": name, "mime_type": "application/pdf"})
        path, query = followed(upload.request.url)
        terms = self.storage.open_upload(path, query, self.clock())
        assert terms is not None
        assert isinstance(await self.storage.write(terms, _pieces(content)), StoredObject)
        return upload.path

    async def storage_paths(self) -> set[str]:
        """Where anything lies."""
        return {item.key async for page in self.storage.list("workspaces/") for item in page}

    async def record(self, caller: Caller, content: bytes = b"%PDF-1.7", **changes: object) -> Document:
        """A document of new bytes."""
        path = await self.upload(caller, content)
        return (await self.create_document(caller, members(path, **changes), None)).document

    async def link(self, caller: Caller, document: Document, **changes: object) -> Link:
        """What a document is linked to, a contact unless the test wants another."""
        sent = {"entity_type": "contact", "entity_id": "c-1", **changes}
        return (await self.link_document(caller, document.id, sent, None)).link

    async def names(self, caller: Caller, **query: object) -> list[str]:
        """The names of the documents that are found, of which `total` has to count as many."""
        found = (await self.find_documents(caller, query)).found
        assert (found.total, found.total_is_exact) == (len(found.documents), True)
        return [document.name for document in found.documents]

    async def folders(self, caller: Caller, **query: object) -> dict[str, int]:
        """How many documents are in each folder at the top, or below `parent`, and below it; in order."""
        rows, _ = await self.list_folders(caller, query)
        return {row.folder: row.documents for row in rows.rows}


def members(path: str, **changes: object) -> dict[str, object]:
    """The least that records a document, and what else the test wants."""
    return {"name": "a.pdf", "mime_type": "application/pdf", "storage_path": path, **changes}


def followed(url: str) -> tuple[str, dict[str, str]]:
    """The path and the query that the store is asked for by who opens a link."""
    parts = urlsplit(url)
    return unquote(parts.path).removeprefix("/storage/"), dict(parse_qsl(parts.query))


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
