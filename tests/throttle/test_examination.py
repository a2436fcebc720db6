"""What `dossier doctor` says of the Valkey that requests are counted in."""

from adapters.throttle.valkey_check import check_valkey
from ports.checks import Grade
from tests.valkey import ValkeyServer, open_valkey


async def test_a_valkey_that_counts_is_told_with_its_version(valkey: ValkeyServer) -> None:
    finding = await check_valkey(valkey.url)
    assert (finding.check, finding.grade) == ("rate limit", Grade.OK)
    assert ": Valkey 9." in finding.found


async def test_a_valkey_that_may_drop_counters_is_told() -> None:
    async with open_valkey("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        finding = await check_valkey(server.url)
    assert finding.grade is Grade.DEGRADED
    assert "allkeys-lru" in finding.found


async def test_a_valkey_whose_memory_is_bounded_and_that_drops_no_counter_is_fine() -> None:
    async with open_valkey("--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl") as server:
        assert (await check_valkey(server.url)).grade is Grade.OK


async def test_who_may_not_ask_for_the_configuration_is_told_no_more() -> None:
    async with open_valkey("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        await server.ask("ACL", "SETUSER", "limited", "on", ">secret", "~dossier:*", "+@all", "-config", "-info")
        url = server.url.replace("://", "://limited:secret@")
        finding = await check_valkey(url)
        assert finding.grade is Grade.OK, finding.found
        assert "secret" not in finding.found


async def test_a_wrong_password_is_told_in_words_and_not_shown() -> None:
    async with open_valkey("--requirepass", "right") as server:
        finding = await check_valkey(server.url.replace("://", "://:mistaken@"))
    assert finding.grade is Grade.FAILED
    assert "password" in finding.found
    assert "mistaken" not in finding.found


async def test_a_valkey_that_is_not_there_is_told_with_its_address() -> None:
    async with open_valkey(tcp=True) as server:
        url = server.url
    finding = await check_valkey(url.replace("://", "://somebody:secret@"))
    assert finding.grade is Grade.FAILED
    assert url in finding.found
    assert "secret" not in finding.found


async def test_a_valkey_that_accepts_and_says_nothing_is_told() -> None:
    async with open_valkey() as server:
        server.pause()
        finding = await check_valkey(server.url)
    assert finding.grade is Grade.FAILED
    assert "no response" in finding.found
