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
from adapters.postgres.keeper import DATA, KEEPER_LOCK, is_locked, restore_sigint
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
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def answers(url: str, sql: str, value: object) -> None:
    """Wait until the server answers with the value, at most ten seconds."""
    async with asyncio.timeout(10):
        while True:
            try:
                assert await ask(url, sql) == value
                return
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.01)


def postmaster(directory: Path) -> int:
    return int((directory / DATA / "postmaster.pid").read_text().splitlines()[0])


def keepers(directory: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            continue
        if b"adapters.postgres.keeper" in words and str(directory).encode() in words and b"unshare" not in words[0]:
            found.append(int(entry.name))
    return found


async def test_the_server_ends_with_its_last_user_and_its_data_remain(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(tmp_path)
    assert not runs(pid)
    assert not is_locked(tmp_path / KEEPER_LOCK)
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT n FROM kept") == 42


async def test_users_share_one_server_and_may_start_and_end_in_any_order(tmp_path: Path) -> None:
    first = await a_user(tmp_path)
    async with open_embedded(tmp_path) as url:
        pid = postmaster(tmp_path)
        await first.communicate(b"")
        assert await ask(url, "SELECT 1") == 1
        second = await a_user(tmp_path)
    assert postmaster(tmp_path) == pid
    await second.communicate(b"")
    assert not runs(pid)


async def test_users_that_start_at_the_same_time_start_one_server(tmp_path: Path) -> None:
    users = await asyncio.gather(*(a_user(tmp_path) for _ in range(4)))
    assert len(keepers(tmp_path)) == 1
    await asyncio.gather(*(user.communicate(b"") for user in users))
    await until(lambda: keepers(tmp_path) == [])


async def test_the_server_ends_after_its_last_user_was_killed_and_keeps_its_data(tmp_path: Path) -> None:
    user = await a_user(tmp_path)
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(tmp_path)
    user.kill()
    await user.communicate(b"")
    await until(lambda: not runs(pid))
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT n FROM kept") == 42


async def test_the_server_of_a_killed_keeper_ends_before_the_next_user_starts_another(tmp_path: Path) -> None:
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


async def test_a_user_starts_a_new_keeper_after_the_keeper_was_killed(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        (keeper,) = keepers(tmp_path)
        os.kill(keeper, signal.SIGKILL)
        await until(lambda: keepers(tmp_path) not in ([], [keeper]))
        await answers(url, "SELECT n FROM kept", 42)


async def test_sigterm_does_not_end_a_keeper_whose_server_is_in_use(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        pid, (keeper,) = postmaster(tmp_path), keepers(tmp_path)
        os.kill(keeper, signal.SIGTERM)
        assert await ask(url, "SELECT 1") == 1
    assert not runs(pid)
    # The keeper releases its lock before its process has ended.
    await until(lambda: not runs(keeper))


async def test_a_status_file_with_the_process_id_of_another_program_does_not_prevent_the_start(tmp_path: Path) -> None:
    async with open_embedded(tmp_path):
        pass
    (tmp_path / DATA / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path / DATA}\n0\n5432\n\n\n\nready\n")
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT 1") == 1


async def test_the_keeper_restarts_a_killed_server(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(tmp_path)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: (tmp_path / DATA / "postmaster.pid").exists() and postmaster(tmp_path) != pid)
        await answers(url, "SELECT n FROM kept", 42)


async def test_a_first_start_that_was_interrupted_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "PG_VERSION").write_text("18\n")
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT 1") == 1


async def test_data_of_another_major_version_are_refused_with_instructions_to_dump_them(tmp_path: Path) -> None:
    async with open_embedded(tmp_path):
        pass
    (tmp_path / DATA / "PG_VERSION").write_text("13\n")
    with pytest.raises(Unavailable, match=r"(?s)made by Postgres 13.*pg_dumpall"):
        async with open_embedded(tmp_path):
            pass


async def test_a_server_that_cannot_start_reports_why(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"(?s)no_such_setting.*DOSSIER_DATABASE_URL"):
        async with open_embedded(tmp_path, options=["-c", "no_such_setting=1"]):
            pass


async def test_a_data_folder_without_postgres_data_is_refused_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / DATA).mkdir()
    (tmp_path / DATA / "junk").touch()
    with pytest.raises(Unavailable, match=r"(?s)holds no data of Postgres.*Move it away") as caught:
        async with open_embedded(tmp_path):
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


async def test_a_data_folder_with_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    async with open_embedded(deep) as url:
        assert await ask(url, "SELECT 1") == 1
