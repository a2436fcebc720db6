"""Admitting a request: authentication and rate limits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.in_process.system import new_secret
from domain.access import ApiKey, Permission, mint_api_key
from domain.errors import InvalidKey, RateLimited
from domain.rate_limits import Plan, Tier, Verdict, Window
from domain.use_cases.admit_request import refusal_of
from domain.use_cases.provision import MintedApiKey
from ports.api_keys import ApiKeyFound
from tests.domain.world import MINUTE, NEVER_CALLED, PLANS, Instead, World

HERE, THERE = "192.0.2.1", "192.0.2.2"
UNKNOWN = mint_api_key("0" * 32)
MALFORMED = ["", "wbk_", "nonsense", UNKNOWN[:-1], UNKNOWN + "0", UNKNOWN[:-1] + "Z", "\xff", "x" * 100_000]
MINUTE_WINDOW, DAY_WINDOW = PLANS[Plan.STARTER]


async def a_key(world: World, **properties: Any) -> MintedApiKey:
    """Create an API key in a new workspace of plan starter: 3 requests a minute, 5 a day."""
    return await another_key(world, (await world.workspace(plan=Plan.STARTER)).id, **properties)


async def another_key(world: World, workspace: str, **properties: Any) -> MintedApiKey:
    return await world.mint_api_key(workspace=workspace, name=new_secret(), granted=["read:documents"], **properties)


async def revoke(world: World, minted: MintedApiKey) -> None:
    await world.keys.revoke(minted.key.workspace_id, minted.key.id, world.clock(), None)


async def verdicts(world: World, secret: str, count: int) -> Sequence[Verdict]:
    return [(await world.admit_request(secret, HERE, "req_1")).verdict for _ in range(count)]


async def guess(world: World, presented: str | None = UNKNOWN, address: str = HERE, times: int = 1) -> None:
    """Present a wrong API key that many times, each of which is refused."""
    for _ in range(times):
        with pytest.raises(InvalidKey):
            await world.admit_request(presented, address, "req_1")


async def test_an_api_key_identifies_its_caller(world: World) -> None:
    end = world.clock() + timedelta(days=1)
    minted = await a_key(world, tier=Tier.HIGH, expires_at=end)
    caller = (await world.admit_request(minted.secret, HERE, "req_9")).caller
    key: ApiKey = minted.key
    assert (caller.workspace_id, caller.user_id, caller.key_id) == (key.workspace_id, key.user_id, key.id)
    assert caller.permissions == {Permission.READ_DOCUMENTS}
    assert caller.request_id == "req_9"
    assert (caller.tier, caller.expires_at) == (Tier.HIGH, end)


async def test_a_missing_api_key_is_refused_before_any_port_is_called_and_so_is_not_counted(world: World) -> None:
    admit = replace(world.admit_request, keys=NEVER_CALLED, limiter=NEVER_CALLED, now=NEVER_CALLED)
    with pytest.raises(InvalidKey):
        await admit(None, HERE, "req_1")


@pytest.mark.parametrize("presented", MALFORMED, ids=lambda text: ascii(text[:50]))
async def test_a_malformed_api_key_is_refused_without_a_look_up(world: World, presented: str) -> None:
    admit = replace(world.admit_request, keys=Instead(world.admit_request.keys, look_up=NEVER_CALLED))
    with pytest.raises(InvalidKey):
        await admit(presented, HERE, "req_1")


async def test_every_refusal_of_an_api_key_is_identical(world: World) -> None:
    revoked, expired = await a_key(world), await a_key(world, expires_at=world.clock() + timedelta(hours=1))
    await revoke(world, revoked)
    world.clock.advance(hours=1)
    reported = set()
    for presented in (None, *MALFORMED, UNKNOWN, revoked.secret, expired.secret):
        with pytest.raises(InvalidKey) as refused:
            await world.admit_request(presented, HERE, "req_1")
        reported.add((type(refused.value), refused.value.message, tuple(vars(refused.value))))
    assert len(reported) == 1


@pytest.mark.parametrize("kind", ["unknown", "malformed", "revoked"])
async def test_the_61st_wrong_api_key_of_an_address_in_a_minute_is_rate_limited(world: World, kind: str) -> None:
    revoked = await a_key(world)
    await revoke(world, revoked)
    world.clock.advance(seconds=15)
    wrong = {"unknown": UNKNOWN, "malformed": "nonsense", "revoked": revoked.secret}[kind]
    await guess(world, wrong, times=60)
    with pytest.raises(RateLimited) as refused:
        await world.admit_request(wrong, HERE, "req_1")
    assert vars(refused.value) == {"retry_after": 45, "window": "minute", "limit": 60}
    # The workspace of the revoked API key used nothing of its plan.
    other = await another_key(world, revoked.key.workspace_id)
    assert (await verdicts(world, other.secret, 1))[0].remaining == 2


async def test_guesses_are_counted_by_network_and_never_block_a_valid_api_key(world: World) -> None:
    minted = await a_key(world)
    await verdicts(world, minted.secret, 1)
    await guess(world, times=60)
    await guess(world, address=THERE, times=60)
    with pytest.raises(RateLimited):
        await world.admit_request(UNKNOWN, HERE, "req_1")
    assert (await world.admit_request(minted.secret, HERE, "req_1")).verdict.admitted

    await guess(world, address="2001:db8:1:2::1", times=30)
    await guess(world, address="2001:db8:1:2:ffff::2", times=30)
    with pytest.raises(RateLimited):
        await world.admit_request(UNKNOWN, "2001:db8:1:2::3", "req_1")
    await guess(world, address="2001:db8:1:3::1")


async def test_over_the_limit_only_unknown_api_keys_are_looked_up_patiently_and_no_guess_is_counted(
    world: World,
) -> None:
    minted = await a_key(world)
    patience: list[bool] = []

    async def look_up(digest: bytes, *, patient: bool) -> ApiKeyFound | None:
        patience.append(patient)
        return await world.ports.api_key_lookup.look_up(digest)

    keys: Any = Instead(world.ports.api_key_lookup, look_up=look_up)
    limiter: Any = Instead(world.ports.limiter, acquire=NEVER_CALLED)
    admit = replace(world.admit_request, keys=keys)
    await guess(world, times=60)
    for presented in (UNKNOWN, *MALFORMED):
        with pytest.raises(RateLimited):
            await replace(admit, limiter=limiter)(presented, HERE, "req_1")
    assert patience == [True]
    # A valid API key behind the same network is admitted, and another network and the next minute begin anew.
    assert (await admit(minted.secret, HERE, "req_1")).verdict.admitted
    with pytest.raises(InvalidKey):
        await admit(UNKNOWN, THERE, "req_1")
    world.clock.advance(seconds=MINUTE)
    with pytest.raises(InvalidKey):
        await admit(UNKNOWN, HERE, "req_1")
    assert patience == [True, True, False, False]
    # An API key that this process knows needs no look-up.
    found = (await world.keys.find([minted.key.digest]))[0]
    keys = Instead(world.ports.api_key_lookup, known=lambda _: found, look_up=NEVER_CALLED)
    assert (await replace(admit, keys=keys)(minted.secret, HERE, "req_1")).verdict.admitted


async def test_only_the_use_of_an_admitted_api_key_is_recorded(world: World) -> None:
    minted, revoked = await a_key(world), await a_key(world)
    await revoke(world, revoked)
    await verdicts(world, minted.secret, 1)
    await guess(world, revoked.secret)
    used = {key.id: key.last_used_at async for page in world.keys.pages() for key in page}
    assert used == {minted.key.id: world.clock(), revoked.key.id: None}


async def test_the_api_keys_of_a_workspace_share_its_limits_and_workspaces_share_none(world: World) -> None:
    one, foreign = await a_key(world), await a_key(world)
    other = await another_key(world, one.key.workspace_id)
    end = MINUTE_WINDOW.end(world.clock())
    assert await verdicts(world, one.secret, 2) == [Verdict(True, 3, 2, end, 0), Verdict(True, 3, 1, end, 0)]
    refused = Verdict(False, 3, 0, end, MINUTE, MINUTE_WINDOW)
    assert await verdicts(world, other.secret, 2) == [Verdict(True, 3, 0, end, 0), refused]
    assert (await verdicts(world, foreign.secret, 1))[0].remaining == 2
    # A change of plan applies to the next request.
    await world.workspaces.update(one.key.workspace_id, Plan.PRO, None)
    assert (await verdicts(world, one.secret, 1))[0].limit == 50


async def test_an_api_key_of_tier_high_has_ten_times_the_limits_and_its_own_counters(world: World) -> None:
    high = await a_key(world, tier=Tier.HIGH)
    standard = await another_key(world, high.key.workspace_id)
    reported = await verdicts(world, high.secret, 31)
    assert [verdict.admitted for verdict in reported] == [True] * 30 + [False]
    assert (await verdicts(world, standard.secret, 1))[0].remaining == 2
    world.clock.advance(seconds=MINUTE)
    assert (await verdicts(world, high.secret, 1))[0] == Verdict(True, 50, 19, DAY_WINDOW.end(world.clock()), 0)


async def test_an_unmetered_api_key_is_never_refused_and_never_counted(world: World) -> None:
    unmetered = await a_key(world, tier=Tier.UNMETERED)
    limiter: Any = Instead(world.ports.limiter, acquire=NEVER_CALLED)
    admit = replace(world.admit_request, limiter=limiter)
    untouched = Verdict(True, 3, 3, MINUTE_WINDOW.end(world.clock()), 0)
    assert (await admit(unmetered.secret, HERE, "req_1")).verdict == untouched


@pytest.mark.parametrize(
    ("used", "window", "limit", "message"),
    [
        ((3, 0), "minute", 3, "The limit of 3 requests per minute is used up; the minute ends in 15 seconds"),
        ((0, 5), "day", 5, "The limit of 5 requests per day is used up; the day ends in 43155 seconds"),
        # If both refuse, the one that ends last tells when to try again.
        ((3, 5), "day", 5, "The limit of 5 requests per day is used up; the day ends in 43155 seconds"),
    ],
)
def test_a_refusal_names_the_window_and_its_end(used: tuple[int, int], window: str, limit: int, message: str) -> None:
    refusal = refusal_of(Verdict.of(PLANS[Plan.STARTER], used, datetime(2026, 4, 17, 12, 0, 45, tzinfo=UTC)))
    assert refusal is not None
    assert (refusal.window, refusal.limit) == (window, limit)
    assert refusal.message == f"{message}, try again then."
    assert refusal_of(Verdict.of(PLANS[Plan.STARTER], (2, 4), datetime(2026, 4, 17, tzinfo=UTC))) is None


@pytest.mark.parametrize(
    ("seconds", "unit"), [(1, "second"), (60, "minute"), (3600, "hour"), (86_400, "day"), (600, "600 seconds")]
)
def test_the_length_of_a_window_is_named_as_people_say_it(seconds: int, unit: str) -> None:
    assert Window(1, seconds).unit == unit
