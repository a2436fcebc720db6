"""Runs of pgbench: a create's facts in one statement and in six, and a bare INSERT that decides nothing."""

import asyncio
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from adapters.in_process.system import utc_now
from adapters.postgres import statements
from adapters.postgres.creates import to_record
from adapters.postgres.rows import hash_idempotency_key, to_facts, to_uuid
from bench.facts import HASHING_KEY, sample
from bench.postgres import Postgres
from domain.paths import FOLDER_LEVELS_MAX, FOLDERS_MAX

ONE_STATEMENT = statements.RECORD_DOCUMENTS
"""The statement of the adapter: $1 is the workspace, $2 a batch, $3 waits for the lock, $4 and $5 bound folders."""

BARE_TABLE = "CREATE TABLE bare (LIKE documents INCLUDING ALL)"

_FOLDER = Path(__file__).parent
_NUMBERS_A_RUN = 10**8
_THREADS = 2

_ID = UUID("00000000-0000-4000-8000-0123456789ab")
_KEY = UUID("00000000-0000-4000-8000-0123456789ac")
_PATH = "b-the-number-of-the-path"
_ONE_STATEMENT_SCRIPT = r"""
\set n :n + 1
\set k :first + :n * 64 + :client_id
\set chance random(0, 4294967295)
{statement};
"""
# Number, id and idempotency key, inserted into a prepared batch. The idempotency key begins with random digits, because
# an index compares its beginning first.
_BATCH = """format(
    '{template}',
    :k::bigint,
    '00000000-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0'),
    lpad(to_hex(:chance::bigint), 8, '0') || '-0000-4000-8000-' || lpad(:k::bigint::text, 12, '0')
)::jsonb"""


@dataclass(frozen=True, slots=True)
class Transactions:
    """The counts of pgbench. Latencies are of every transaction and include waits for the lock."""

    count: int
    rate: float
    p50_ms: float
    p99_ms: float


class Pgbench:
    """pgbench in one database that has Dossier's tables and the workspace."""

    def __init__(self, postgres: Postgres, database: str, workspace: str) -> None:
        self.postgres = postgres
        self._database = database
        self._workspace = workspace
        self._runs = 0

    async def run(self, script: str, clients: int, seconds: int) -> Transactions:
        """Run `one_statement`, or the script file of that name in this folder.

        Raises:
            RuntimeError: a transaction failed, or did not record a document.
        """
        self._runs += 1
        checks = script != "bare_insert"
        before = await self.postgres.documents(self._database) if checks else 0
        with tempfile.TemporaryDirectory(prefix="pgbench-") as directory:
            file = _script(Path(directory), script, self._workspace)
            output = await self._start(file, clients, seconds, directory)
            latencies = await asyncio.to_thread(_latencies, Path(directory))
        count = _figure(r"number of transactions actually processed: (\d+)", output)
        if _figure(r"number of failed transactions: (\d+)", output):
            raise RuntimeError(f"pgbench {script}: {output}")
        if checks and (recorded := await self.postgres.documents(self._database) - before) != count:
            raise RuntimeError(f"pgbench {script}: {count:.0f} transactions recorded {recorded} documents")
        return Transactions(
            count=int(count),
            rate=_figure(r"tps = ([\d.]+) \(without", output),
            p50_ms=latencies[len(latencies) // 2] / 1000,
            p99_ms=latencies[len(latencies) * 99 // 100] / 1000,
        )

    async def _start(self, file: Path, clients: int, seconds: int, directory: str) -> str:
        document, _ = sample(self._workspace, _ID.int, _PATH, str(_ID), utc_now)
        variables = {
            "n": "0",
            "first": str(self._runs * _NUMBERS_A_RUN),
            "workspace": str(to_uuid(self._workspace)),
            "facts": msgspec.json.encode(to_facts(document)).decode(),
        }
        process = await asyncio.create_subprocess_exec(
            *(self.postgres.binaries / "pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}"),
            *(f"--jobs={min(_THREADS, clients)}", f"--time={seconds}", "--log", f"--file={file}"),
            *(f"--define={name}={value}" for name, value in variables.items()),
            self.postgres.url(self._database),
            cwd=directory,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"pgbench {file.stem}: {output.decode(errors='replace')}")
        return output.decode()


def _script(directory: Path, name: str, workspace: str) -> Path:
    if name != "one_statement":
        return _FOLDER / f"{name}.sql"
    file = directory / f"{name}.sql"
    batch = _BATCH.format(template=_template(workspace))
    statement = ONE_STATEMENT
    for parameter, value in (
        ("$1", "ARRAY[:workspace::uuid]"),
        ("$2", batch),
        # Wait for the workspace lock, which all clients need.
        ("$3", "true"),
        ("$4", str(FOLDER_LEVELS_MAX)),
        ("$5", str(FOLDERS_MAX)),
    ):
        statement = statement.replace(parameter, value)
    file.write_text(_ONE_STATEMENT_SCRIPT.format(statement=statement))
    return file


def _template(workspace: str) -> str:
    """Return a batch of one as the adapter sends it, as a format string of SQL."""
    path = f"workspaces/{workspace}/documents/{_PATH}"
    document, intent = sample(workspace, _ID.int, path, str(_KEY), utc_now)
    record, _ = to_record(document, intent, HASHING_KEY)
    text = json.dumps([json.loads(record)])
    # pgbench takes a colon before a letter or digit for a variable. In JSON, such colons occur inside strings only.
    text = re.sub(r":(?=\w)", r"\\u003a", text)
    text = text.replace("%", "%%").replace("'", "''")
    for pattern, argument in (
        (_PATH, "b%1$s"),
        (_either_form(_ID), "%2$s"),
        (_either_form(hash_idempotency_key(intent, HASHING_KEY)), "%3$s"),
    ):
        text, replaced = re.subn(pattern, argument, text)
        if not replaced:
            raise RuntimeError(f"the adapter's batch contains no {pattern}, so every transaction would be the same")
    return text


def _either_form(value: UUID) -> str:
    """Return a pattern for a UUID with or without hyphens."""
    return f"{value}|{value.hex}"


def _latencies(directory: Path) -> list[int]:
    """Return the latencies of all transactions in pgbench's logs, in microseconds, ascending."""
    return sorted(
        int(line.split()[2]) for log in directory.glob("pgbench_log.*") for line in log.read_text().splitlines()
    )


def _figure(pattern: str, output: str) -> float:
    match = re.search(pattern, output)
    if match is None:
        raise RuntimeError(f"unexpected output of pgbench:\n{output}")
    return float(match[1])
