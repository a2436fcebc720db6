"""Windows that begin at whole minutes and days of UTC, and the expiry of API keys."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Caller
from domain.rate_limits import Window
from tests.domain.world import DAY, MINUTE, World

NOON = datetime(2026, 4, 17, 12, 0, tzinfo=UTC)
JIFFY = timedelta(microseconds=1)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=OFFSETS)  # noqa: DTZ001


@given(MOMENTS, st.sampled_from([1, MINUTE, 3600, DAY]))
def test_every_time_is_in_one_window_aligned_to_its_length_in_utc(at: datetime, seconds: int) -> None:
    end = Window(1, seconds).end(at)
    assert end % seconds == 0
    assert end - seconds <= at.timestamp() < end


@pytest.mark.parametrize(
    ("expires_at", "revoked_at", "active"),
    [
        *((None, None, True), (NOON + JIFFY, None, True), (NOON, None, False), (NOON - JIFFY, None, False)),
        *((None, NOON - JIFFY, False), (NOON + timedelta(days=1), NOON, False)),
    ],
)
async def test_an_api_key_is_active_until_it_expires_or_is_revoked(
    world: World, caller: Caller, expires_at: datetime | None, revoked_at: datetime | None, active: bool
) -> None:
    key = (await world.mint_api_key(workspace=caller.workspace_id, name="CI", granted=["read:documents"])).key
    assert replace(key, expires_at=expires_at, revoked_at=revoked_at).is_active(NOON) is active
