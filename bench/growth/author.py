"""The writer to a workspace: creates as varied as its content, and changes of existing documents."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from adapters.in_process.system import Ulids, utc_now
from adapters.postgres.documents import PostgresDocuments
from bench.contenders import MOST
from bench.facts import sample
from bench.growth.corpus import MANY_FOLDER, TREE_FOLDER
from bench.growth.filling import Filled
from domain.documents import Changes, Document
from domain.entity_links import EntityLink, EntityType
from domain.ids import EntityLinkId, decode_ulid
from domain.paths import FolderPath
from ports.intents import Intent
from ports.outcomes import Created, Deleted, FolderMoved, LinkAdded, Patched

EACH = 5
CROWD = MOST * EACH
"""The creates in one call of `create_many`: the number of clients, and how many creates each sends in turn."""


class Author:
    """Writes to one workspace. Each call uses another document and succeeds."""

    def __init__(self, documents: PostgresDocuments, filled: Filled) -> None:
        self._documents = documents
        self._filled = filled
        self._new_id = Ulids()

    async def create(self) -> None:
        document, intent = self._next()
        outcome = await self._documents.create(document, intent)
        assert outcome == Created(document), outcome

    async def create_many(self) -> None:
        async def client() -> None:
            for _ in range(EACH):
                await self.create()

        await asyncio.gather(*(client() for _ in range(MOST)))

    async def patch(self) -> None:
        changes = Changes(name=self._filled.corpus.next().name)
        document, intent = self._filled.picked.pop(), self._intent(idempotent=False)
        outcome = await self._documents.patch(document, changes, at=utc_now(), intent=intent)
        assert isinstance(outcome, Patched), outcome

    async def link(self) -> None:
        at = utc_now()
        link = EntityLink(
            id=EntityLinkId(f"dlnk_{self._new_id(at)}"),
            document_id=self._filled.picked.pop(),
            entity_type=EntityType.COMPANY,
            entity_id="acme",
            role=None,
            created_at=at,
        )
        outcome = await self._documents.add_link(link, intent=self._intent())
        assert isinstance(outcome, LinkAdded), outcome

    async def delete(self) -> None:
        outcome = await self._documents.delete(self._filled.picked.pop(), at=utc_now(), intent=self._intent())
        assert isinstance(outcome, Deleted), outcome

    async def move(self) -> None:
        """Move the folder with many documents to another place each time."""
        self._filled.archive = await self._moved(self._filled.archive, MANY_FOLDER)

    async def move_tree(self) -> None:
        """Move the folder with many subfolders to another place each time."""
        self._filled.tree = await self._moved(self._filled.tree, TREE_FOLDER)

    async def _moved(self, folder: FolderPath, name: str) -> FolderPath:
        target = FolderPath(f"{name}-{self._new_id(utc_now())}")
        intent = self._intent(idempotent=False)
        outcome = await self._documents.move_folder(folder, target, at=utc_now(), intent=intent)
        assert isinstance(outcome, FolderMoved), outcome
        return target

    def _next(self) -> tuple[Document, Intent]:
        ulid, facts = self._new_id(utc_now()), self._filled.corpus.next()
        path = f"workspaces/{self._filled.workspace}/documents/{ulid}"
        document, intent = sample(self._filled.workspace, decode_ulid(ulid), path, str(uuid4()), utc_now)
        document = replace(
            document,
            name=facts.name,
            description=facts.description,
            mime_type=facts.mime_type,
            folder=None if facts.folder is None else FolderPath(facts.folder),
            tags=facts.tags,
        )
        return document, intent

    def _intent(self, *, idempotent: bool = True) -> Intent:
        _, intent = self._next()
        return intent if idempotent else replace(intent, idempotency_key=None)
