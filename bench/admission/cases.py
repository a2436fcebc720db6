"""Two requests, 32 at a time, to Dossiers with different admission; each variant has a workspace of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from adapters.in_process.system import new_secret
from bench import servers
from bench.admission.unguarded import WORKSPACE
from bench.contenders import MOST, Sample, Service
from bench.crowd import READ_PATH, Crowd, Member, create_workspaces, record_read_document, upload_model
from bench.library import raw, write_requests
from bench.postgres import Postgres
from bench.servers import free_port, running
from bench.valkey import Valkey
from domain.access import api_key_digest, mint_api_key

READ = "read, with a download URL"
CREATE = "create"
REQUESTS = (READ, CREATE)

DATABASE = "admission"
KEYS = 20_000
"""The number of API keys. It is so large that, at every rate that this benchmark reaches, none is used twice while it
is cached."""

_UNLIMITED = "1000000000/minute;1000000000/day"


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of admission. `tier` is the tier of its API keys. `cold`: no request has a cached API key."""

    name: str
    tier: str = "standard"
    valkey: bool = False
    cold: bool = False


NONE = Variant("no admission", tier="unmetered")
KEY = Variant("API key, no limit", tier="unmetered")
MEMORY = Variant("API key, limit in memory")
VALKEY = Variant("API key, limit on Valkey", valkey=True)
COLD = Variant("cold API key, no limit", tier="unmetered", cold=True)
COLD_VALKEY = Variant("cold API key, limit on Valkey", valkey=True, cold=True)
VARIANTS = (NONE, KEY, MEMORY, VALKEY, COLD, COLD_VALKEY)


@dataclass(frozen=True, slots=True)
class Figures(Sample):
    """One run, with Valkey's CPU, scripts run and API keys looked up, each per request."""

    valkey_us: float
    scripts: float
    look_ups: float


@dataclass(frozen=True, slots=True)
class Bench:
    """The resources that all variants share, and the workspace of each variant."""

    directory: Path
    settings: dict[str, str]
    postgres: Postgres
    valkey: Valkey
    crowds: Mapping[Variant, Crowd]
    keys: Mapping[Variant, list[str]]
    """The API keys of each variant that has many."""
    recorded: dict[Variant, dict[int, int]] = field(default_factory=dict)

    async def run(self, variant: Variant, request_name: str, seconds: int) -> Figures:
        """Send the request for `seconds` to a new, warmed-up server.

        Raises:
            Refused: a request was refused.
        """
        before = await self._look_ups()
        async with self._server(variant) as service:
            warm = await self._send(service, variant, request_name, 1)
            scripts, cpu = await self.valkey.script_calls(), self.valkey.cpu_seconds()
            sample = await self._send(service, variant, request_name, seconds)
            requests = sample.rate * seconds
            cpu, scripts = self.valkey.cpu_seconds() - cpu, await self.valkey.script_calls() - scripts
        # Postgres flushes a connection's statistics when the connection ends, so read them after the server has ended.
        look_ups = await self._look_ups() - before
        return Figures(
            **asdict(sample),
            valkey_us=cpu / requests * 1e6,
            scripts=scripts / requests,
            look_ups=look_ups / (warm.rate + requests),
        )

    @asynccontextmanager
    async def _server(self, variant: Variant) -> AsyncIterator[Service]:
        port = free_port()
        settings = self.settings | {WORKSPACE: self.crowds[variant].members[0].workspace_id}
        if variant.valkey:
            settings["DOSSIER_RATE_LIMIT_URL"] = self.valkey.url
        command = servers.dossier(port) if variant is not NONE else servers.unguarded(port)
        async with running(f"admission-{VARIANTS.index(variant)}", port, command, settings) as server:
            yield Service(variant.name, server, self.postgres, DATABASE, self.recorded.setdefault(variant, {}))

    async def _send(self, service: Service, variant: Variant, request_name: str, seconds: int) -> Sample:
        crowd = self.crowds[variant]
        if request_name == CREATE:
            return await service.run(crowd, connections=MOST, idempotent=True, seconds=seconds)
        document = self.directory / f"{crowd.members[0].workspace_id}.document"
        if not document.exists():
            document.write_text(await asyncio.to_thread(record_read_document, service.server.url, crowd.members[0]))
        member, target = crowd.members[0], f"/v1/documents/{document.read_text()}"
        members = (Member(member.workspace_id, key) for key in self.keys.get(variant, [member.api_key]))
        requests = (raw(service.server.url, "GET", target, each) for each in members)
        file = write_requests(document.with_suffix(".requests"), requests)
        return await service.repeat(file, connections=MOST, seconds=seconds)

    async def _look_ups(self) -> int:
        asked = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'api_keys_digest'"
        return int(await self.postgres.sql(DATABASE, asked))


@asynccontextmanager
async def prepared(directory: Path, postgres: Postgres, valkey: Valkey) -> AsyncIterator[Bench]:
    """Prepare a workspace for each variant, with its API keys and its file."""
    files = directory / "files"
    settings = {
        "DOSSIER_DATA_DIR": str(directory),
        "DOSSIER_DATABASE_URL": postgres.url(DATABASE),
        "DOSSIER_STORAGE_URL": files.as_uri(),
        "DOSSIER_PLAN_ORG": _UNLIMITED,
    }
    members = dict(zip(VARIANTS, await create_workspaces(settings, len(VARIANTS)), strict=True))
    port = free_port()
    async with running("admission", port, servers.dossier(port), settings) as server:
        model = Path("workspaces") / (await upload_model(server.url, members[NONE])).relative_to("workspaces")
    crowds = {variant: Crowd([member], files, model) for variant, member in members.items()}
    keys = {}
    for variant, crowd in crowds.items():
        crowd.link(f"workspaces/{members[variant].workspace_id}/{READ_PATH}")
        put = f"UPDATE api_keys SET tier = '{variant.tier}' WHERE digest = {_digest(members[variant])}"  # noqa: S608
        await postgres.sql(DATABASE, put)
        if variant.cold:
            keys[variant] = await _many_keys(postgres, members[variant])
    yield Bench(directory, settings, postgres, valkey, crowds, keys)


async def _many_keys(postgres: Postgres, member: Member) -> list[str]:
    """Copy the member's API key many times by SQL, which saves minutes. Return the new API keys."""
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
    return keys


def _digest(member: Member) -> str:
    return f"'\\x{api_key_digest(member.api_key).hex()}'"
