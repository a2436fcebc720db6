"""The embedded Postgres lives exactly as long as somebody uses it."""

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


async def until(true: Callable[[], bool]) -> None:
    """Wait for it, at most ten seconds."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  nothing tells when another process has ended
            await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether the process is there and not a zombie, which init may be slow to bury."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def a_user(directory: Path) -> asyncio.subprocess.Process:
    """Another process that uses the server until its standard input ends."""
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
    """Wait until the server answers, at most ten seconds."""
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


async def test_data_outlive_the_server_and_the_server_does_not_outlive_its_user(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(tmp_path)
    assert not runs(pid)
    assert not is_locked(tmp_path / KEEPER_LOCK)
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT n FROM kept") == 42


async def test_users_come_and_go_in_any_order_and_share_one_server(tmp_path: Path) -> None:
    first = await a_user(tmp_path)
    async with open_embedded(tmp_path) as url:
        pid = postmaster(tmp_path)
        await first.communicate(b"")
        assert await ask(url, "SELECT 1") == 1
        second = await a_user(tmp_path)
    assert postmaster(tmp_path) == pid
    await second.communicate(b"")
    assert not runs(pid)


async def test_many_first_users_at_once_start_one_server(tmp_path: Path) -> None:
    users = await asyncio.gather(*(a_user(tmp_path) for _ in range(4)))
    assert len(keepers(tmp_path)) == 1
    await asyncio.gather(*(user.communicate(b"") for user in users))
    await until(lambda: keepers(tmp_path) == [])


async def test_a_killed_user_leaves_no_server_behind_and_loses_nothing(tmp_path: Path) -> None:
    user = await a_user(tmp_path)
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(tmp_path)
    user.kill()
    await user.communicate(b"")
    await until(lambda: not runs(pid))
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT n FROM kept") == 42


async def test_a_killed_keeper_takes_its_server_along_and_the_next_user_waits_for_that(tmp_path: Path) -> None:
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


async def test_a_killed_keeper_is_replaced_for_those_who_use_its_server(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        (keeper,) = keepers(tmp_path)
        os.kill(keeper, signal.SIGKILL)
        await until(lambda: keepers(tmp_path) not in ([], [keeper]))
        await answers(url, "SELECT n FROM kept", 42)


async def test_a_terminated_keeper_stays_as_long_as_its_server_is_used(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        pid, (keeper,) = postmaster(tmp_path), keepers(tmp_path)
        os.kill(keeper, signal.SIGTERM)
        assert await ask(url, "SELECT 1") == 1
    assert not runs(pid)
    # Its lock is free before its process has ended.
    await until(lambda: not runs(keeper))


async def test_a_status_file_that_names_another_living_process_does_not_stop_the_start(tmp_path: Path) -> None:
    async with open_embedded(tmp_path):
        pass
    (tmp_path / DATA / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path / DATA}\n0\n5432\n\n\n\nready\n")
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT 1") == 1


async def test_a_killed_server_is_started_again_for_its_users(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as url:
        await ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(tmp_path)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: (tmp_path / DATA / "postmaster.pid").exists() and postmaster(tmp_path) != pid)
        await answers(url, "SELECT n FROM kept", 42)


async def test_a_start_that_was_cut_off_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "PG_VERSION").write_text("18\n")
    async with open_embedded(tmp_path) as url:
        assert await ask(url, "SELECT 1") == 1


async def test_data_of_another_major_version_are_refused_naming_the_dump(tmp_path: Path) -> None:
    async with open_embedded(tmp_path):
        pass
    (tmp_path / DATA / "PG_VERSION").write_text("13\n")
    with pytest.raises(Unavailable, match=r"(?s)made by Postgres 13.*pg_dumpall"):
        async with open_embedded(tmp_path):
            pass


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"(?s)no_such_setting.*DOSSIER_DATABASE_URL"):
        async with open_embedded(tmp_path, options=["-c", "no_such_setting=1"]):
            pass


async def test_data_of_something_else_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / DATA).mkdir()
    (tmp_path / DATA / "junk").touch()
    with pytest.raises(Unavailable, match=r"(?s)holds no data of Postgres.*Move it away") as caught:
        async with open_embedded(tmp_path):
            pass
    assert "Traceback" not in str(caught.value)


def test_a_server_heeds_the_signal_that_stops_it_also_where_its_keeper_was_started_to_ignore_it() -> None:
    """A shell does that to what it puts in the background; a server told to stop as it starts was deaf for 60 s."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = subprocess.Popen(["sleep", "60"], preexec_fn=restore_sigint)
    finally:
        signal.signal(signal.SIGINT, before)
    server.send_signal(signal.SIGINT)
    assert server.wait(10) == -signal.SIGINT


async def test_a_very_long_data_folder_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    async with open_embedded(deep) as url:
        assert await ask(url, "SELECT 1") == 1
