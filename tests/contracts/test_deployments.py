"""The guarantees of `Deployments`."""

from contextlib import suppress

from tests.contracts.records import Records


async def test_the_record_of_a_deployment_is_read_back_until_it_is_renewed(records: Records) -> None:
    deployments = records.deployments
    new = await deployments.renew()
    assert new == await deployments.read()
    assert (new.claimed_at, new.next_generation) == (None, None)
    await deployments.claim(records.clock())
    await deployments.set_generation("a", "b")
    await deployments.record_sweep(records.clock())
    known = await deployments.read()
    assert (known.id, known.generation, known.next_generation) == (new.id, "a", "b")
    assert known.claimed_at == known.swept_at == records.clock()
    again = await deployments.renew()
    assert again.id != new.id
    assert again.generation != "a"
    assert (again.claimed_at, again.next_generation) == (None, None)


async def test_only_one_block_at_a_time_is_exclusive_until_it_ends_even_with_an_exception(records: Records) -> None:
    exclusive = records.deployments.exclusive
    with suppress(ZeroDivisionError):
        async with exclusive() as first, exclusive() as second:
            assert (first, second) == (True, False)
            raise ZeroDivisionError
    async with exclusive() as is_exclusive:
        assert is_exclusive
