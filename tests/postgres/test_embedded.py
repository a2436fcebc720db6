"""The embedded Postgres runs exactly as long as a process uses it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.embedded import open_embedded
from adapters.postgres.keeper import DATA, KEEPER_LOCK, is_locked, make_cluster, restore_sigint
from ports.system import Unavailable

pytestmark = pytest.mark.slow

USER = """
import asyncio, sys
from pathlib import Path
from adapters.postgres.embedded import open_embedded
async def main():
    async with open_embedded(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  no event reports the end of another process
            await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    """Return whether the process exists and is no zombie: init may be slow to reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def a_user(directory: Path) -> asyncio.subprocess.Process:
    """Start another process that uses the server until its standard input ends."""
    user = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", USER, str(directory)), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert user.stdout is not None
    assert (await user.stdout.readline()).startswith(b"postgresql://")
    return user


async def ask(url: str, sql: str) -> object:
    """Return the answer of the server, which may be starting: wait at most ten seconds."""
    async with asyncio.timeout(10):
        while True:
            try:
                connection = await asyncpg.connect(url)
                try:
                    return await connection.fetchval(sql)
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.01)


def postmaster(directory: Path) -> int:
    """Return the process id of the server."""
    return int((directory / DATA / "postmaster.pid").read_text().splitlines()[0])


def keepers(directory: Path) -> list[int]:
    """Return the process ids of all keepers of the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            continue
        if b"adapters.postgres.keeper" in words and str(directory).encode() in words and b"unshare" not in words[0]:
            found.append(int(entry.name))
    return found


async def test_processes_share_one_postgres_which_ends_with_the_last_of_them(tmp_path: Path) -> None:
    first, *others = await asyncio.gather(*(a_user(tmp_path) for _ in range(3)))
    assert len(keepers(tmp_path)) == 1
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(tmp_path)
        # Users start and end in any order, and some are killed.
        await first.communicate(b"")
        others[0].kill()
        await others[0].communicate(b"")
        last = await a_user(tmp_path)
        await others[1].communicate(b"")
        assert await ask(url, "SELECT 1") == 1
    assert postmaster(tmp_path) == pid
    last.kill()
    await last.communicate(b"")
    await until(lambda: not runs(pid))
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT n FROM kept") == 42
        pid = postmaster(tmp_path)
    assert not runs(pid)
    assert not is_locked(tmp_path / KEEPER_LOCK)


async def test_a_postgres_in_use_survives_sigterm_to_its_keeper_and_is_restarted_after_a_kill(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid, (keeper,) = postmaster(tmp_path), keepers(tmp_path)
        os.kill(keeper, signal.SIGTERM)
        assert await ask(url, "SELECT n FROM kept") == 42
        os.kill(pid, signal.SIGKILL)
        await until(lambda: (tmp_path / DATA / "postmaster.pid").exists() and postmaster(tmp_path) != pid)
        assert await ask(url, "SELECT n FROM kept") == 42
        assert keepers(tmp_path) == [keeper]
        os.kill(keeper, signal.SIGKILL)
        await until(lambda: keepers(tmp_path) not in ([], [keeper]))
        assert await ask(url, "SELECT n FROM kept") == 42
        (keeper,) = keepers(tmp_path)
    # The keeper releases its lock before its process has ended.
    await until(lambda: not runs(keeper))


async def test_the_postgres_of_a_killed_keeper_ends_before_another_one_starts(tmp_path: Path) -> None:
    user = await a_user(tmp_path)
    pid = postmaster(tmp_path)
    (keeper,) = keepers(tmp_path)
    os.kill(keeper, signal.SIGKILL)
    await until(lambda: not runs(keeper))
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT 1") == 1
        assert postmaster(tmp_path) != pid
        assert not runs(pid)
    await user.communicate(b"")


def test_the_name_of_a_new_or_existing_cluster_is_on_the_disk_before_its_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The names of both programs that a keeper runs before the server.
    for name, script in (("initdb", 'mkdir "$2" && echo 18 > "$2/PG_VERSION"'), ("postgres", "echo postgres x 18.0")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o700)
    directory, fsync, synced = tmp_path / "cluster", os.fsync, 0
    directory.mkdir()

    def watched(descriptor: int) -> None:
        nonlocal synced
        if os.path.samestat(os.fstat(descriptor), directory.stat()):
            assert (directory / DATA / "PG_VERSION").exists()
            synced += 1
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    for number in (1, 2):
        make_cluster(directory, tmp_path)
        assert synced == number


async def test_neither_leftovers_of_a_crash_nor_a_path_too_long_for_a_socket_prevent_the_start(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100) / ("e" * 100)
    # A first start that was interrupted is repeated.
    (directory / "unfinished").mkdir(parents=True)
    (directory / "unfinished" / "PG_VERSION").write_text("18\n")
    async with open_embedded(directory):
        pass
    # The status file of a killed server has a process id that belongs to another program by now.
    (directory / DATA / "postmaster.pid").write_text(f"{os.getpid()}\n{directory / DATA}\n0\n5432\n\n\n\nready\n")
    async with open_embedded(directory) as url:
        assert await ask(url, "SELECT 1") == 1


async def test_variables_for_connections_to_other_servers_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_embedded(tmp_path):
        for name, value in {"PGPORT": "1", "PGSSLMODE": "verify-full", "PGTARGETSESSIONATTRS": "standby"}.items():
            monkeypatch.setenv(name, value)
        async with open_embedded(tmp_path) as url:
            assert await ask(url, "SELECT 1") == 1
            assert await ask(url, "SHOW port") == "5432"


async def test_a_folder_in_tmp_of_another_user_is_neither_used_nor_prevents_the_start(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)
    async with open_embedded(directory):
        known = Path((directory / "sockets").read_text())
    # /tmp is emptied at a restart, and the name was visible to every user before.
    known.rmdir()
    known.symlink_to(tmp_path)
    try:
        async with open_embedded(directory) as url:
            assert await ask(url, "SELECT 1") == 1
            assert str(known) not in url
    finally:
        known.unlink()


@pytest.mark.parametrize(
    ("files", "options", "reason"),
    [
        ({"PG_VERSION": "13\n"}, [], "made by Postgres 13.*pg_dumpall"),
        ({"junk": ""}, [], "holds no data of Postgres.*Move it away"),
        ({}, ["-c", "no_such_setting=1"], "no_such_setting.*DOSSIER_DATABASE_URL"),
    ],
    ids=["other version", "other files", "unknown setting"],
)
async def test_a_server_that_cannot_start_reports_why_and_what_to_do(
    tmp_path: Path, files: dict[str, str], options: list[str], reason: str
) -> None:
    for name, content in files.items():
        (tmp_path / DATA).mkdir()
        (tmp_path / DATA / name).write_text(content)
    with pytest.raises(Unavailable, match=f"(?s){reason}") as caught:
        async with open_embedded(tmp_path, options=options):
            pass
    assert "Traceback" not in str(caught.value)


def test_sigint_stops_a_server_whose_keeper_was_started_with_sigint_ignored() -> None:
    """A shell starts background processes that way: a server stopped during its start ignored SIGINT for 60 s."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = subprocess.Popen(["sleep", "60"], preexec_fn=restore_sigint)
    finally:
        signal.signal(signal.SIGINT, before)
    server.send_signal(signal.SIGINT)
    assert server.wait(10) == -signal.SIGINT
