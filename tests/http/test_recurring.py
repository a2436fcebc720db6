"""The check that watches the deadlines of requests and connections."""

import asyncio
from collections.abc import Iterator

from adapters.http.recurring import RecurringCheck


async def test_a_recurring_check_survives_failures_stops_without_work_and_can_restart() -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    ended = asyncio.Event()
    results: Iterator[bool | Exception] = iter([True, ValueError(), False, False])
    calls = 0

    def check() -> bool:
        nonlocal calls
        calls += 1
        result = next(results)
        if isinstance(result, Exception):
            raise result
        if not result:
            ended.set()
        return result

    checks = RecurringCheck(0, check)
    for expected in (3, 4):
        ended.clear()
        checks.start()
        checks.start()
        await ended.wait()
        await asyncio.sleep(0)
        assert calls == expected
