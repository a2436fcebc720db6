"""Requests of many workspaces on one event loop: none waits for all those of another workspace."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from adapters.http.slices import FairSlices
from adapters.memory.documents import MemoryDocuments
from domain.ids import WorkspaceId
from domain.pages import Page, Rows
from domain.rate_limits import Plan
from ports.queries import TagCount
from tests.http.conftest import Api

FLOOD = 200


class Unlucky(Exception):
    """The failure of a request."""


class Requests:
    """Requests that all wait for one event. Then each needs some rounds of the loop, and notes its name in each."""

    def __init__(self, slices: FairSlices) -> None:
        self.slices = slices
        self.ready = asyncio.Event()
        self.ran: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, workspace: str, number: int, rounds: int) -> None:
        async def request() -> None:
            await self.ready.wait()
            for _ in range(rounds):
                self.ran.append(workspace)
                await asyncio.sleep(0)

        async def run() -> None:
            await self.slices.run(workspace, request())

        self.tasks += [asyncio.create_task(run()) for _ in range(number)]

    async def all_wait(self) -> None:
        """Return once every request waits."""
        for _ in self.tasks:
            await asyncio.sleep(0)

    async def slices_by_round(self, until: int) -> Sequence[int]:
        """Let the requests run until they have noted this many names. Return how many they noted in each round."""
        self.ready.set()
        by_round: list[int] = []
        while (before := len(self.ran)) < until:
            await asyncio.sleep(0)
            by_round.append(len(self.ran) - before)
        return by_round

    async def end(self) -> None:
        self.ready.set()
        await asyncio.gather(*self.tasks)


async def test_in_each_round_a_workspace_has_its_slices_and_the_others_wait_in_order() -> None:
    requests = Requests(FairSlices(each=2))
    requests.start("many", FLOOD, rounds=10)
    requests.start("other", 1, rounds=10)
    await requests.all_wait()
    await requests.end()
    between = "".join(name[0] for name in requests.ran).split("o")
    assert all(len(slices) <= 2 for slices in between[1:10]), between
    assert len(requests.ran) == 10 * FLOOD + 10


async def test_without_a_workspace_of_few_requests_a_round_has_more_slices_which_all_share() -> None:
    requests = Requests(FairSlices(together=50))
    requests.start("one", FLOOD, rounds=1)
    requests.start("two", FLOOD, rounds=1)
    await requests.all_wait()
    requests.ready.set()
    await asyncio.sleep(0)
    assert requests.ran == ["one"] * 25 + ["two"] * 25
    await requests.end()


async def test_rounds_stay_small_for_a_while_after_the_last_request_of_a_workspace_with_few() -> None:
    requests = Requests(FairSlices(afterwards=3, together=50))
    requests.start("other", 1, rounds=1)
    requests.start("many", FLOOD, rounds=1)
    await requests.all_wait()
    # The first slice that waits gets its turn in the round after the next.
    assert (await requests.slices_by_round(FLOOD + 1))[:6] == [2, 0, 1, 1, 1, 50]


async def test_a_workspace_whose_few_requests_only_wait_makes_no_round_smaller() -> None:
    slices = FairSlices(afterwards=3, together=50)
    idle, many = Requests(slices), Requests(slices)
    for number in range(60):
        idle.start(f"idle {number}", 1, rounds=1)
    many.start("many", FLOOD, rounds=3)
    await idle.all_wait()
    await many.all_wait()
    by_round = await many.slices_by_round(3 * FLOOD)
    assert by_round[:2] == [50, 0]
    assert set(by_round[2:]) == {50}
    await idle.end()


async def test_rounds_become_small_when_a_workspace_whose_few_requests_waited_runs_again() -> None:
    slices = FairSlices(afterwards=3, together=50)
    idle, many = Requests(slices), Requests(slices)
    idle.start("idle", 1, rounds=5)
    many.start("many", FLOOD, rounds=2)
    await many.all_wait()
    await many.slices_by_round(FLOOD)
    idle.ready.set()
    by_round = await many.slices_by_round(2 * FLOOD)
    # The slices of the first two rounds were chosen before it ran.
    assert list(by_round[:11]) == [50, 50, *[1] * 8, 50]
    await idle.end()


@pytest.mark.parametrize("after_rounds", range(5))
async def test_a_request_that_is_cancelled_while_it_waits_may_be_the_last_one(after_rounds: int) -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    requests = Requests(FairSlices())
    requests.start("one", 65, rounds=0)
    await requests.all_wait()
    requests.ready.set()
    for _ in range(after_rounds):
        await asyncio.sleep(0)
    requests.tasks[-1].cancel()
    await asyncio.gather(*requests.tasks, return_exceptions=True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not errors


async def test_requests_that_wait_hold_up_no_other_request_of_their_workspace() -> None:
    slices = FairSlices(together=1)
    waiting, free = Requests(slices), Requests(slices)
    waiting.start("one", FLOOD, rounds=1)
    waiting.start("two", FLOOD, rounds=1)
    await waiting.all_wait()
    free.start("one", 10, rounds=3)
    await free.end()
    assert not waiting.ran
    await waiting.end()


async def test_requests_that_end_without_a_wait_are_spread_over_rounds_too() -> None:
    slices, ended = FairSlices(together=10), 0

    async def refused() -> None:
        nonlocal ended
        ended += 1

    async def run() -> None:
        await slices.run("one", refused())

    tasks = [asyncio.create_task(run()) for _ in range(FLOOD)]
    await asyncio.sleep(0)
    assert ended == 20, "the first ten of a workspace are not counted"
    await asyncio.gather(*tasks)
    assert ended == FLOOD


async def test_every_request_ends_as_it_would_alone_however_others_fail_or_are_cancelled() -> None:
    random, slices, ends = Random(0), FairSlices(few=3, afterwards=2, together=2), Counter[str]()

    async def answer(failure: Exception | None) -> None:
        """Wait for an answer that comes in the next round."""
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def arrive() -> None:
            if answered.cancelled():
                return
            if failure is None:
                answered.set_result(None)
            else:
                answered.set_exception(failure)

        asyncio.get_running_loop().call_soon(arrive)
        await answered

    async def request(failures: Sequence[Exception | None]) -> None:
        ends["begun"] += 1
        try:
            for failure in failures:
                await answer(failure)
        except asyncio.CancelledError:
            ends["interrupted"] += 1
            await asyncio.sleep(0)
            ends["cleaned up"] += 1
            raise

    async def run(workspace: int, *, fails: bool) -> str:
        failures = [None] * random.randrange(4) + [Unlucky()] * fails
        try:
            await slices.run(workspace, request(failures))
        except Unlucky:
            return "failed"
        return "ended"

    for _ in range(50):
        tasks = [asyncio.create_task(run(number % 3, fails=random.random() < 0.5)) for number in range(20)]
        for task in random.sample(tasks, 5):
            await asyncio.sleep(0)
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        ends.update(result if isinstance(result, str) else type(result).__name__ for result in results)
    assert ends["ended"] + ends["failed"] + ends["CancelledError"] == 1000
    assert min(ends.values()) > 50
    assert ends["cleaned up"] == ends["interrupted"] == ends["begun"] - ends["ended"] - ends["failed"]


async def test_a_create_is_answered_while_reads_of_another_workspace_that_were_ready_before_it_wait(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = await api.uploaded()
    workspace = await api.service.use_cases.create_workspace("Reader", Plan.ORG, 10**9)
    reader = await Api(api.http, api.service, workspace).key()
    all_read, tags_of = asyncio.Barrier(FLOOD + 1), MemoryDocuments.tags

    async def tags(documents: MemoryDocuments, workspace: WorkspaceId, page: Page) -> Rows[TagCount]:
        await all_read.wait()
        return await tags_of(documents, workspace, page)

    monkeypatch.setattr(MemoryDocuments, "tags", tags)
    flood = [asyncio.create_task(api.http.get("/v1/tags", headers=reader)) for _ in range(FLOOD)]
    await all_read.wait()
    # The reads are ready now, and the create comes behind them.
    await asyncio.sleep(0)
    assert (await api.http.post("/v1/documents", json=body)).status_code == 201
    assert sum(read.done() for read in flood) < FLOOD / 2
    assert {answer.status_code for answer in await asyncio.gather(*flood)} == {200}
