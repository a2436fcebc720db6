"""Every server of a database has the same secret."""

import asyncio

import pytest

from domain.use_cases.verify_secret import OtherSecret
from tests.domain.world import World

OURS, THEIRS = b"\1" * 32, b"\2" * 32


async def test_the_first_secret_is_recorded_and_another_one_is_refused_with_both_remedies(world: World) -> None:
    assert (await world.deployments.read()).secret_check is None
    for _ in range(2):
        await world.use_cases.verify_secret(OURS)
    with pytest.raises(OtherSecret, match=r"Set DOSSIER_SECRET.*run 'dossier rotate-secret'"):
        await world.use_cases.verify_secret(THEIRS)
    assert (await world.deployments.read()).secret_check == OURS


async def test_of_two_secrets_that_are_recorded_at_once_one_is_refused(world: World) -> None:
    results = await asyncio.gather(*map(world.use_cases.verify_secret, (OURS, THEIRS)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "OtherSecret"]
