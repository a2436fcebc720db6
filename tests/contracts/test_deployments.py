"""The guarantees of `Deployments`."""

from contextlib import suppress

from ports.deployment import Task
from tests.contracts.records import Records


async def test_the_record_of_a_deployment_is_read_back_until_it_is_renewed(records: Records) -> None:
    deployments = records.deployments
    new = await deployments.renew()
    assert new == await deployments.read()
    assert (new.claimed_at, new.next_generation) == (None, None)
    await deployments.claim(records.clock())
    assert await deployments.announce_generation("a", after=new.generation)
    assert await deployments.begin_generation("a", 7)
    assert await deployments.announce_generation("b", after="a")
    await deployments.begin_sweep(records.clock())
    await deployments.record_sweep(records.clock())
    known = await deployments.read()
    assert (known.id, known.generation, known.next_generation, known.changes_marked) == (new.id, "a", "b", 7)
    assert await deployments.begin_generation("b", 8)
    assert (await deployments.read()).next_generation is None
    assert known.claimed_at == known.swept_at == known.sweep_began_at == records.clock()
    again = await deployments.renew()
    assert again.id != new.id
    assert again.generation != "a"
    assert (again.claimed_at, again.next_generation, again.changes_marked) == (None, None, None)


async def test_a_delayed_process_neither_announces_nor_begins_a_generation(records: Records) -> None:
    deployments = records.deployments
    first = (await deployments.renew()).generation
    for following in ("a", "a"):
        # A call may be repeated.
        assert await deployments.announce_generation(following, after=first)
    assert not await deployments.announce_generation("late", after=first)
    assert await deployments.begin_generation("a", 1)
    known = await deployments.read()
    assert not await deployments.announce_generation("late", after=first)
    for late in ("a", "late"):
        assert not await deployments.begin_generation(late, 0)
    assert await deployments.read() == known


async def test_the_first_secret_is_kept_until_it_is_replaced_even_if_a_deployment_is_renewed(records: Records) -> None:
    deployments, first, second = records.deployments, b"\1" * 32, b"\2" * 32
    # The database may know a secret already.
    await deployments.record_secret(first, replace=True)
    await deployments.record_secret(second)
    assert (await deployments.read()).secret_check == first
    await deployments.record_secret(second, replace=True)
    assert (await deployments.renew()).secret_check == second


async def test_the_count_of_changes_grows_with_each_change_of_a_document(records: Records) -> None:
    home = await records.workspace()
    counts = [(await records.deployments.read()).changes]
    document = await records.recorded(home)
    counts.append((await records.deployments.read()).changes)
    await records.documents.delete(document.id, at=records.clock(), intent=records.intent(home))
    counts.append((await records.deployments.read()).changes)
    assert counts == sorted(set(counts))


async def test_a_task_is_exclusive_until_its_block_ends_even_with_an_exception(records: Records) -> None:
    exclusive = records.deployments.exclusive
    with suppress(ZeroDivisionError):
        async with exclusive(Task.SWEEP) as first, exclusive(Task.SWEEP) as second:
            assert (first, second) == (True, False)
            async with exclusive(Task.ADVANCE_GENERATION) as is_another_task:
                assert is_another_task
            raise ZeroDivisionError
    async with exclusive(Task.SWEEP) as is_exclusive:
        assert is_exclusive
