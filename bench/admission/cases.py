"""The same two requests, 32 at a time, to Dossiers that admit in different ways; each on a workspace of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from adapters.in_process.system import new_secret
from bench import servers
from bench.admission.unguarded import WORKSPACE
from bench.contenders import MOST, Sample, Service
from bench.crowd import READ_PATH, Crowd, Member, found_workspaces, record_read_document, upload_model
from bench.postgres import Postgres
from bench.servers import free_port, running
from bench.valkey import Valkey
from domain.access import api_key_digest, mint_api_key

READ = "read, with a download URL"
CREATE = "create"
REQUESTS = (READ, CREATE)

DATABASE = "admission"
KEYS = 20_000
"""Enough that none comes twice within the half second for which a key is remembered, at any rate reached here."""

_UNLIMITED = "1000000000/minute;1000000000/day"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to admit. `tier` is that of the keys; `cold` that each request has another key, not asked for lately."""

    name: str
    tier: str = "standard"
    valkey: bool = False
    cold: bool = False
    workers: int = 1


NONE = Way("no admission", tier="unmetered")
KEY = Way("key, no limit", tier="unmetered")
MEMORY = Way("key, limit in memory")
VALKEY = Way("key, limit on Valkey", valkey=True)
COLD = Way("cold key, no limit", tier="unmetered", cold=True)
COLD_VALKEY = Way("cold key, limit on Valkey", valkey=True, cold=True)
TWO = Way("2 workers, limit on Valkey", valkey=True, workers=2)
FOUR = Way("4 workers, limit on Valkey", valkey=True, workers=4)
WAYS = (NONE, KEY, MEMORY, VALKEY, COLD, COLD_VALKEY, TWO, FOUR)


@dataclass(frozen=True, slots=True)
class Figures(Sample):
    """One run; for each request, the CPU of Valkey, how many scripts it ran, and how many keys were looked up."""

    valkey_us: float
    scripts: float
    look_ups: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What all ways share, and where each has its workspace."""

    directory: Path
    settings: dict[str, str]
    postgres: Postgres
    valkey: Valkey
    crowds: Mapping[Way, Crowd]
    keys: Mapping[Way, Path]
    recorded: dict[Way, dict[int, int]] = field(default_factory=dict)

    async def run(self, way: Way, wanted: str, seconds: int) -> Figures:
        """Send this request for so many seconds, to a server that is started for it, and warm.

        Raises:
            Refused: one was refused.
        """
        before = await self._look_ups()
        async with self._server(way) as service:
            warm = await self._send(service, way, wanted, 1)
            scripts, cpu = await self.valkey.script_calls(), self.valkey.cpu_seconds()
            sample = await self._send(service, way, wanted, seconds)
            requests = sample.rate * seconds
            cpu, scripts = self.valkey.cpu_seconds() - cpu, await self.valkey.script_calls() - scripts
        # Told by each connection at its end at the latest, so not before the server has ended.
        look_ups = await self._look_ups() - before
        return Figures(
            **asdict(sample),
            valkey_us=cpu / requests * 1e6,
            scripts=scripts / requests,
            look_ups=look_ups / (warm.rate + requests),
        )

    @asynccontextmanager
    async def _server(self, way: Way) -> AsyncIterator[Service]:
        port = free_port()
        settings = self.settings | {WORKSPACE: self.crowds[way].members[0].workspace_id}
        if way.valkey:
            settings["DOSSIER_RATE_LIMIT_URL"] = self.valkey.url
        command = servers.dossier(port, way.workers) if way is not NONE else servers.unguarded(port)
        async with running(f"admission-{WAYS.index(way)}", port, command, settings) as server:
            yield Service(way.name, server, self.postgres, DATABASE, self.recorded.setdefault(way, {}))

    async def _send(self, service: Service, way: Way, wanted: str, seconds: int) -> Sample:
        crowd = self.crowds[way]
        if wanted == CREATE:
            return await service.run(crowd, connections=MOST, keyed=True, seconds=seconds)
        document = self.directory / f"{crowd.members[0].workspace_id}.document"
        if not document.exists():
            document.write_text(await asyncio.to_thread(record_read_document, service.server.url, crowd.members[0]))
        key = "KEY" if way.cold else crowd.members[0].key
        file = document.with_suffix(".request")
        file.write_text(
            f"GET /v1/documents/{document.read_text()} HTTP/1.1\r\nHost: {urlsplit(service.server.url).netloc}\r\n"
            f"Authorization: Bearer {key}\r\n\r\n"
        )
        keys = self.keys[way] if way.cold else None
        return await service.repeat(file, connections=MOST, seconds=seconds, keys=keys)

    async def _look_ups(self) -> int:
        asked = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'api_keys_digest'"
        return int(await self.postgres.sql(DATABASE, asked))


@asynccontextmanager
async def prepared(directory: Path, postgres: Postgres, valkey: Valkey) -> AsyncIterator[Bench]:
    """A workspace for each way, with its keys and its file."""
    files = directory / "files"
    settings = {
        "DOSSIER_DATA_DIR": str(directory),
        "DOSSIER_DATABASE_URL": postgres.url(DATABASE),
        "DOSSIER_STORAGE_URL": files.as_uri(),
        "DOSSIER_PLAN_ORG": _UNLIMITED,
    }
    members = dict(zip(WAYS, await found_workspaces(settings, len(WAYS)), strict=True))
    port = free_port()
    async with running("admission", port, servers.dossier(port), settings) as server:
        model = Path("workspaces") / (await upload_model(server.url, members[NONE])).relative_to("workspaces")
    crowds = {way: Crowd([member], files, model) for way, member in members.items()}
    keys = {}
    for way, crowd in crowds.items():
        crowd.link(f"workspaces/{members[way].workspace_id}/{READ_PATH}")
        put = f"UPDATE api_keys SET tier = '{way.tier}' WHERE digest = {_digest(members[way])}"  # noqa: S608
        await postgres.sql(DATABASE, put)
        if way.cold:
            keys[way] = directory / f"{members[way].workspace_id}.keys"
            keys[way].write_text(await _many_keys(postgres, members[way]))
    yield Bench(directory, settings, postgres, valkey, crowds, keys)


async def _many_keys(postgres: Postgres, member: Member) -> str:
    """Keys that are like the member's, by SQL: one by one they would take minutes."""
    keys = [mint_api_key(new_secret()) for _ in range(KEYS)]
    lines = "".join(f"\\\\x{api_key_digest(key).hex()}\n" for key in keys)
    await postgres.sql(DATABASE, "CREATE TABLE IF NOT EXISTS digests (digest bytea)")
    await postgres.sql(DATABASE, "COPY digests FROM STDIN", lines)
    await postgres.sql(
        DATABASE,
        f"""
        INSERT INTO api_keys (workspace_id, id, user_id, name, prefix, digest, permissions, tier, created_at)
        SELECT workspace_id, gen_random_uuid(), user_id, name, prefix, digests.digest, permissions, tier, created_at
        FROM api_keys, digests WHERE api_keys.digest = {_digest(member)}
        """,  # noqa: S608  our own words
    )
    await postgres.sql(DATABASE, "TRUNCATE digests")
    await postgres.sql(DATABASE, "ANALYZE api_keys")
    return "".join(f"{key}\n" for key in keys)


def _digest(member: Member) -> str:
    return f"'\\x{api_key_digest(member.key).hex()}'"
