"""The check of the Valkey that counts requests, for `dossier doctor`."""

import pytest

from adapters.throttle.valkey_check import check_valkey
from ports.checks import Grade
from tests.valkey import ValkeyServer, open_valkey

SMALL = ("--maxmemory", "100mb", "--maxmemory-policy")


async def test_a_working_valkey_is_reported_with_its_version(valkey: ValkeyServer) -> None:
    result = await check_valkey(valkey.url)
    assert (result.check, result.grade, ": Valkey 9." in result.found) == ("rate limit", Grade.OK, True), result


@pytest.mark.parametrize(
    ("policy", "grade", "words"),
    [("allkeys-lru", Grade.DEGRADED, "allkeys-lru"), ("volatile-ttl", Grade.OK, "counts for every process")],
)
async def test_an_eviction_policy_that_drops_counters_is_reported(policy: str, grade: Grade, words: str) -> None:
    async with open_valkey(*SMALL, policy) as server:
        result = await check_valkey(server.url)
    assert (result.grade, words in result.found) == (grade, True), result


async def test_a_user_who_may_not_read_the_configuration_gets_no_warning() -> None:
    async with open_valkey(*SMALL, "allkeys-lru") as server:
        await server.run("ACL", "SETUSER", "limited", "on", ">secret", "~dossier:*", "+@all", "-config", "-info")
        result = await check_valkey(server.url.replace("://", "://limited:secret@"))
    assert result.grade is Grade.OK, result
    assert "secret" not in result.found


async def test_a_valkey_that_cannot_be_used_is_reported_without_the_password() -> None:
    async with open_valkey("--requirepass", "right") as server:
        wrong = await check_valkey(server.url.replace("://", "://:mistaken@"))
        await server.pause()
        paused = await check_valkey(server.url)
    stopped = await check_valkey("valkey://user:mistaken@127.0.0.1:1")
    for result, words in ((wrong, "password"), (paused, "no response"), (stopped, "valkey://127.0.0.1:1")):
        assert (result.grade, words in result.found, "mistaken" in result.found) == (Grade.FAILED, True, False), result
