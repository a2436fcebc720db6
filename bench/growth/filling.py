"""A workspace with a history. COPY inserts the rows that the creates of a year would have left."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from uuid import UUID

from adapters.postgres.rows import to_uuid
from bench.facts import FILE_BYTES
from bench.growth.corpus import HITS, MANY_FOLDER, TREE_FOLDER, Corpus
from bench.postgres import Postgres
from domain.ids import DocumentId, encode_ulid
from domain.paths import FolderPath
from domain.search import search_text

BATCH = 20_000
HISTORY = timedelta(days=365)
FRESH = 100
"""Documents recorded since the last vacuum. They are in the pending lists of two indexes, which a search reads."""
PICKED = 6000
"""The number of documents whose ids are kept in memory, for the cases that change them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_OBJECTS = "objects (workspace_id, storage_path, size_bytes, sha256, etag, document_id, state)"
_DOCUMENTS = """
documents (workspace_id, id, name, description, mime_type, storage_path, folder_id, tags, search_text, revision,
    created_by, created_by_key, created_at, updated_at)
"""
_COPY = "COPY {} FROM STDIN"
# The inserted rows are consistent, and checking the folder and object of each would take minutes. The indexes gather
# larger batches here than a create could wait for.
_HASTEN = """
ALTER DATABASE {0} SET session_replication_role = replica;
ALTER DATABASE {0} SET work_mem = '64MB'
"""
_CALM = "ALTER DATABASE {} RESET ALL"
_PENDING = """
SELECT c.relname, coalesce(substring(array_to_string(c.reloptions, ' ') FROM 'gin_pending_list_limit=([0-9]+)'), '')
FROM pg_class c JOIN pg_am a ON a.oid = c.relam
WHERE a.amname = 'gin'
"""
_FILLING_KIB = 4096
# Each document has an event, and the usage is correct. There are no receipts, because they expire after 24 hours.
_SETTLE = """
INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id)
SELECT workspace_id, next_seq - 1 + row_number() OVER (ORDER BY id), created_at, 'document.created', id, created_by,
    created_by_key, 'req_bench'
FROM documents JOIN usage USING (workspace_id)
WHERE id >= '{since}';
UPDATE usage
SET documents = found.documents, used_bytes = found.documents * {size}, next_seq = found.next_seq
FROM (SELECT (SELECT count(*) FROM documents) AS documents, (SELECT max(seq) + 1 FROM events) AS next_seq) AS found
"""
_ADD_TREE = """
SELECT ensure_folders_v2('{workspace}', ARRAY(
    SELECT '{folder}/' || n % 100 || '/' || n FROM generate_series(1, {count}) AS n
))
"""
# Autovacuum does the same sooner or later: it starts when a fifth of a table is new.
_VACUUM = "VACUUM (ANALYZE)"


@dataclass(slots=True)
class Filled:
    """A database with one workspace of `size` documents, and the facts about them that cases need."""

    size: int
    database: str
    workspace: str
    corpus: Corpus
    middle: DocumentId
    """The id of a document. Half of the documents are older."""
    middle_hit: DocumentId
    """The id of a hit in the folder. Half of the hits in the folder are older."""
    recent: datetime
    """A time. The number of documents that are at least as new equals the number of hits."""
    picked: list[DocumentId]
    """Ids of other documents. A case that changes one takes it from here."""
    archive: FolderPath
    """The present path of the folder with a tenth of all documents."""
    tree: FolderPath
    """The present path of the folder with many subfolders."""


async def fill(postgres: Postgres, database: str, workspace: str, size: int) -> Filled:
    """Insert `size` documents into the empty workspace."""
    corpus = Corpus(size)
    paths = ",".join(f"'{path}'" for path in corpus.folders)
    await postgres.sql(database, f"SELECT ensure_folders_v2('{to_uuid(workspace)}', ARRAY[{paths}])")
    listed = await postgres.sql(database, "SELECT path, id FROM folders")
    filler = _Filler(workspace, size, corpus, dict(line.rsplit("|", 1) for line in listed.splitlines()))
    gathering = [line.split("|") for line in (await postgres.sql(database, _PENDING)).splitlines()]
    await postgres.sql(database, _HASTEN.format(database))
    for index, _ in gathering:
        await postgres.sql(database, f"ALTER INDEX {index} SET (gin_pending_list_limit = {_FILLING_KIB})")
    sent: asyncio.Task[None] | None = None
    for start in range(0, size - FRESH, BATCH):
        objects, documents = filler.rows(range(start, min(start + BATCH, size - FRESH)))
        if sent is not None:
            await sent
        # Generate the next rows while Postgres reads these.
        sent = asyncio.create_task(_send(postgres, database, objects, documents))
        await asyncio.sleep(0)
    assert sent is not None
    await sent
    await postgres.sql(database, _SETTLE.format(since=UUID(int=0), size=FILE_BYTES))
    for index, limit in gathering:
        before = f"SET (gin_pending_list_limit = {limit})" if limit else "RESET (gin_pending_list_limit)"
        await postgres.sql(database, f"ALTER INDEX {index} {before}")
    await postgres.sql(database, _VACUUM)
    fresh = range(size - FRESH, size)
    await _send(postgres, database, *filler.rows(fresh))
    await postgres.sql(database, _SETTLE.format(since=filler.id(fresh.start), size=FILE_BYTES))
    await postgres.sql(database, _CALM.format(database))
    await postgres.settle()
    hits = [number for number in range(size) if filler.corpus.kind(number) == 0]
    others = [
        filler.document(number)
        for number in range(HITS, size - FRESH, max(1, size // PICKED))
        if filler.corpus.kind(number) is None
    ]
    Random(6).shuffle(others)  # noqa: S311  not for secrets
    return Filled(
        size=size,
        database=database,
        workspace=workspace,
        corpus=filler.corpus,
        middle=filler.document(size // 2),
        middle_hit=filler.document(hits[HITS // 2]),
        recent=filler.at(size - HITS),
        picked=others,
        archive=FolderPath(MANY_FOLDER),
        tree=FolderPath(TREE_FOLDER),
    )


async def add_tree(postgres: Postgres, database: str, filled: Filled) -> None:
    """Add a folder with a twentieth as many subfolders as there are documents, on two levels."""
    values = {"workspace": to_uuid(filled.workspace), "folder": TREE_FOLDER, "count": filled.size // 20}
    await postgres.sql(database, _ADD_TREE.format(**values))


async def _send(postgres: Postgres, database: str, objects: str, documents: str) -> None:
    await postgres.sql(database, _COPY.format(_OBJECTS), objects)
    await postgres.sql(database, _COPY.format(_DOCUMENTS), documents)


class _Filler:
    """Generates the lines of COPY."""

    def __init__(self, workspace: str, size: int, corpus: Corpus, folders: Mapping[str, str]) -> None:
        self.corpus = corpus
        self._workspace = workspace
        self._size = size
        self._end = datetime.now(UTC).replace(microsecond=0)
        self._folders = folders
        self._home = str(to_uuid(workspace))
        self._owner = str(UUID(int=1 << 120))

    def at(self, number: int) -> datetime:
        """Return the time at which the document of this number was recorded, to the millisecond."""
        return self._end - timedelta(milliseconds=(self._size - number) * (HISTORY // self._size // _MILLISECOND))

    def id(self, number: int) -> UUID:
        """Return the id of the document of this number. Its low bits are pseudo-random, and the same each time."""
        milliseconds = (self.at(number) - _EPOCH) // _MILLISECOND
        return UUID(int=milliseconds << 80 | Random(number).getrandbits(80))  # noqa: S311  not for secrets

    def document(self, number: int) -> DocumentId:
        """Return this id in the form of the domain."""
        return DocumentId(f"doc_{encode_ulid(self.id(number).int)}")

    def rows(self, numbers: range) -> tuple[str, str]:
        """Return the rows of objects and documents of these consecutive numbers."""
        objects, documents = [], []
        for number in numbers:
            facts, key, at = self.corpus.next(), self.id(number), self.at(number).isoformat()
            path = f"workspaces/{self._workspace}/documents/{encode_ulid(key.int)}"
            digest = rf"\\x{sha256(path.encode()).hexdigest()}"
            objects.append((self._home, path, str(FILE_BYTES), digest, key.hex[:22], str(key), "recorded"))
            folder = None if facts.folder is None else self._folders[facts.folder]
            tags = "{" + ",".join(facts.tags) + "}"
            text = search_text(facts.name, facts.description)
            documents.append(
                (
                    *(self._home, str(key), facts.name, facts.description, facts.mime_type, path, folder, tags, text),
                    *("1", self._owner, self._owner, at, at),
                )
            )
        return _lines(objects), _lines(documents)


def _lines(rows: Iterable[tuple[str | None, ...]]) -> str:
    return "".join("\t".join(map(_cell, row)) + "\n" for row in rows)


def _cell(value: str | None) -> str:
    # No generated text contains a tab, and a backslash only where COPY needs one.
    return r"\N" if value is None else value.replace("\n", r"\n")
