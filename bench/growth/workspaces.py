"""Deployments of many small workspaces: what a server does without being asked must not take longer in a large one."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from adapters.in_process.system import utc_now
from adapters.postgres.migrate import migrate
from adapters.postgres.rows import from_uuid
from app.settings import Settings
from app.wiring import Service, open_service
from bench.postgres import Postgres
from bench.servers import dossier, free_port, running
from domain.ids import DocumentId, WorkspaceId
from domain.paths import WORKSPACES_PREFIX
from ports.storage import ListedObject

FEW = 100
"""The workspaces of the small deployment."""
EACH = 10
"""The documents of each workspace, and also its events and receipts."""
BOUND = 1.5
"""The target: how many times longer a case may take in the large deployment than in the small one."""
ROUNDS = 3
READS = 300

_PAGE = 1000
_STEP = 1 << 80
_BATCH = 10_000

_FILL = """
SET session_replication_role = replica;
SET work_mem = '64MB';
INSERT INTO usage (workspace_id, quota_bytes, used_bytes, documents, next_seq)
SELECT id, 1000000000, {each} * 100, {each}, {each} + 1 FROM workspaces;
INSERT INTO api_keys (workspace_id, id, user_id, name, prefix, digest, permissions, tier, created_at, last_used_at)
SELECT id, id, owner_id, 'a', 'wbk_1234', sha256(uuid_send(id)), '{{read:documents}}', 'standard', created_at, now()
FROM workspaces;
INSERT INTO objects (workspace_id, storage_path, size_bytes, etag, document_id, state)
SELECT id, '{prefix}' || name || '/documents/' || n, 100, 'e', uuid_number(id, n), 'recorded'
FROM workspaces, generate_series(1, {each}) AS n;
INSERT INTO documents (
    workspace_id, id, name, mime_type, storage_path, tags, search_text, revision, created_by, created_by_key,
    created_at, updated_at
)
SELECT id, uuid_number(id, n), 'a.pdf', 'application/pdf', '{prefix}' || name || '/documents/' || n, '{{}}',
    E'a.pdf\\n', 1, owner_id, id, created_at, created_at
FROM workspaces, generate_series(1, {each}) AS n;
INSERT INTO events (workspace_id, seq, at, kind, document_id, request_id)
SELECT id, n, now(), 'document.created', uuid_number(id, n), 'req_bench'
FROM workspaces, generate_series(1, {each}) AS n;
INSERT INTO receipts (workspace_id, key_hash, operation, fingerprint, facts, expires_at)
SELECT id, uuid_number(id, n), 'create_document', sha256(''), '{{}}', now() + interval '1 day'
FROM workspaces, generate_series(1, {each}) AS n;
DROP FUNCTION uuid_number;
"""
# The id of document n of a workspace, in the last byte.
_NUMBER = """
CREATE FUNCTION uuid_number(id uuid, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE
AS $$ SELECT encode(set_byte(uuid_send(id), 15, n), 'hex')::uuid $$
"""
_WORKSPACES = "COPY workspaces (id, name, owner_id, plan, created_at) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A filled database, with the settings of its servers and an open service."""

    size: int
    settings: dict[str, str]
    service: Service
    random: Random

    @property
    def objects(self) -> int:
        return self.size * EACH


async def _start(deployment: Deployment) -> None:
    port = free_port()
    async with running(f"start-{deployment.size}", port, dossier(port), deployment.settings):
        pass


async def _short_sweep(deployment: Deployment) -> None:
    await deployment.service.use_cases.sweep.without_listing()


async def _complete_sweep(deployment: Deployment) -> None:
    sweep = deployment.service.use_cases.sweep
    storage: Any = _Listed(sweep.storage, deployment.size)
    swept = await replace(sweep, storage=storage)()
    if (swept.objects, swept.unrecorded) != (deployment.objects, 0):
        raise RuntimeError(f"the sweep has listed {swept.objects} objects")


async def _read(deployment: Deployment) -> None:
    for _ in range(READS):
        home, number = _id(deployment.random.randrange(deployment.size)), deployment.random.randint(1, EACH)
        workspace = WorkspaceId(from_uuid("ws_", home))
        document = DocumentId(from_uuid("doc_", UUID(int=home.int + number)))
        assert await deployment.service.ports.documents.get(workspace, document) is not None


CASES: dict[str, tuple[Callable[[Deployment], Awaitable[None]], Callable[[Deployment], float]]] = {
    "start and stop of a server, ms": (_start, lambda _: 1e3),
    "sweep of every ten minutes, ms": (_short_sweep, lambda _: 1e3),
    "complete sweep, µs an object": (_complete_sweep, lambda deployment: 1e6 / deployment.objects),
    "read of a document, ms": (_read, lambda _: 1e3 / READS),
}
"""Each case, and the factor from its seconds to the reported figure."""

Figures = dict[str, dict[int, float]]
"""The least of the rounds of each case, by the number of workspaces."""


async def measure_workspaces(directory: Path, postgres: Postgres, most: int, note: Callable[[str], None]) -> Figures:
    """Measure a small deployment and one of `most` documents, each with a database of its own."""
    figures: Figures = {name: {} for name in CASES}
    async with AsyncExitStack() as stack:
        deployments = []
        for size in (FEW, max(most // EACH, 2 * FEW)):
            note(f"growth: filling {size:,} workspaces with {EACH} documents each")
            filled = _prepared(directory / f"{size}-workspaces", postgres, size)
            deployments.append(await stack.enter_async_context(filled))
        for name, (run, factor) in CASES.items():
            # In turns, so that noise affects both sizes equally.
            for _ in range(ROUNDS):
                for deployment in deployments:
                    began = time.perf_counter()
                    await run(deployment)
                    figure = (time.perf_counter() - began) * factor(deployment)
                    best = figures[name].get(deployment.size, figure)
                    figures[name][deployment.size] = min(best, figure)
            note(f"{name}: {', '.join(f'{figure:.2f} at {size:,}' for size, figure in figures[name].items())}")
    return figures


@asynccontextmanager
async def _prepared(directory: Path, postgres: Postgres, size: int) -> AsyncIterator[Deployment]:
    await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True)
    database = f"workspaces_{size}"
    url = await postgres.create_database(database)
    await migrate(url)
    for start in range(0, size, _BATCH):
        await postgres.sql(database, _WORKSPACES, _rows(range(start, min(size, start + _BATCH))))
    await postgres.sql(database, _NUMBER)
    await postgres.sql(database, _FILL.format(each=EACH, prefix=WORKSPACES_PREFIX))
    await postgres.sql(database, "VACUUM (ANALYZE)")
    await postgres.settle()
    settings = {
        "DOSSIER_DATA_DIR": str(directory),
        "DOSSIER_DATABASE_URL": url,
        "DOSSIER_STORAGE_URL": (directory / "files").as_uri(),
    }
    async with open_service(Settings.read(settings), serving=True) as service:
        await service.ports.storage.prepare()
        await service.use_cases.claim_store()
        yield Deployment(size, settings, service, Random(6))  # noqa: S311  not for secrets


class _Listed:
    """A store in whose listing each document has its object. The files of a million documents would take minutes."""

    def __init__(self, storage: object, size: int) -> None:
        self._storage = storage
        self._size = size

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    async def list(self, prefix: str) -> AsyncIterator[Sequence[ListedObject]]:
        modified_at = utc_now() - timedelta(days=7)
        for start in range(0, self._size, _PAGE // EACH):
            homes = [from_uuid("ws_", _id(n)) for n in range(start, min(self._size, start + _PAGE // EACH))]
            yield [
                ListedObject(key=f"{prefix}{home}/documents/{n}", size_bytes=100, etag="e", modified_at=modified_at)
                for home in homes
                for n in range(1, EACH + 1)
            ]
            await asyncio.sleep(0)


def _id(number: int) -> UUID:
    # A time of 2024, and a number that leaves the last byte to the documents.
    return UUID(int=(1_720_000_000_000 + number) * _STEP)


def _rows(numbers: range) -> str:
    owner = UUID(int=1)
    return "".join(
        f"{_id(number)}\t{from_uuid('ws_', _id(number))}\t{owner}\torg\t2024-07-03T00:00:00Z\n" for number in numbers
    )


def table(figures: Figures) -> str:
    """Return a Markdown table of the cases."""
    sizes = sorted({size for of_case in figures.values() for size in of_case})
    lines = [
        f"| workspaces of {EACH} documents | {' | '.join(f'{size:,}' for size in sizes)} | ratio | target | |",
        f"|---|{'--:|' * len(sizes)}--:|--:|---|",
    ]
    for name, of_case in figures.items():
        ratio = of_case[sizes[-1]] / of_case[sizes[0]]
        verdict = ("met" if ratio <= BOUND else "missed") if len(sizes) > 1 else ""
        cells = " | ".join(f"{of_case[size]:.2f}" for size in sizes)
        lines.append(f"| {name} | {cells} | {ratio:.2f} | ≤ {BOUND:g} | {verdict} |")
    return "\n".join(lines)
