"""What all operations with an idempotency key have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.access import Caller
from domain.errors import (
    DuplicateName,
    IdempotencyMismatch,
    InsufficientPermissions,
    Invalid,
    NotFound,
    StorageConflict,
)
from domain.ids import ApiKeyId
from tests.domain.samples import LINK
from tests.domain.test_every_operation import KEY, READ, Scene, scene
from tests.domain.world import World, members

OTHER_KEY = "00000000-0000-0000-0000-000000000000"

Retry = Callable[[Scene, Caller, str | None, int], Awaitable[Any]]
"""Calls an operation for request 0 or request 1, or for request 2, which is refused."""


def _ids(here: Scene, kind: str, first: int) -> list[str]:
    own = {"doc": here.documents, "dlnk": here.links, "key": here.api_keys}[kind]
    return [*own[first : first + 2], f"{kind}_{here.world.new_id(here.world.clock())}"]


IDEMPOTENT: dict[str, Retry] = {
    "create_document": lambda here, caller, key, number: here.world.create_document(
        caller, members([*here.paths, f"{here.paths[0]}.absent"][number]), key
    ),
    "delete_document": lambda here, caller, key, number: here.world.delete_document(
        caller, _ids(here, "doc", 1)[number], key
    ),
    "delete_document hard": lambda here, caller, key, number: here.world.delete_document(
        caller, _ids(here, "doc", 3)[number], key, hard=True
    ),
    "link_document": lambda here, caller, key, number: here.world.link_document(
        caller,
        [here.documents[0], here.documents[0], _ids(here, "doc", 0)[2]][number],
        {**LINK, "entity_id": str(number)},
        key,
    ),
    "unlink_document": lambda here, caller, key, number: here.world.unlink_document(
        caller, here.documents[0], _ids(here, "dlnk", 0)[number], key
    ),
    "create_api_key": lambda here, caller, key, number: here.world.create_api_key(
        caller, {"name": ["CI", "CD", "key 0"][number], "permissions": ["read:documents"]}, key
    ),
    "revoke_api_key": lambda here, caller, key, number: here.world.revoke_api_key(
        caller, _ids(here, "key", 1)[number], key
    ),
}


def is_replay(outcome: Any) -> bool:
    return outcome if isinstance(outcome, bool) else outcome.replayed


async def done_once(call: Awaitable[Any]) -> bool:
    """Return whether the request was not answered from a receipt: it was executed, or refused by the first one."""
    try:
        return not is_replay(await call)
    except (StorageConflict, NotFound, DuplicateName):
        return True


@pytest.mark.parametrize("name", IDEMPOTENT)
async def test_a_retry_within_24_hours_returns_the_first_outcome_and_does_not_prolong_them(
    world: World, name: str
) -> None:
    here, call = await scene(world), IDEMPOTENT[name]
    first = await call(here, here.caller, KEY, 0)
    assert not is_replay(first)
    for hours in (12, 11.99):
        world.clock.advance(hours=hours)
        again = await call(here, here.caller, KEY, 0)
        assert is_replay(again)
        assert again is True or replace(again, replayed=False) == first
    world.clock.advance(hours=0.01)
    assert await done_once(call(here, here.caller, KEY, 0))


@pytest.mark.parametrize("name", IDEMPOTENT)
async def test_without_the_idempotency_key_or_with_another_one_nothing_is_replayed(world: World, name: str) -> None:
    here, call = await scene(world), IDEMPOTENT[name]
    await call(here, here.caller, KEY, 0)
    for key in (None, OTHER_KEY):
        assert await done_once(call(here, here.caller, key, 0))


@pytest.mark.parametrize("other", IDEMPOTENT)
@pytest.mark.parametrize("name", IDEMPOTENT)
async def test_a_different_request_with_the_same_idempotency_key_is_a_mismatch(
    world: World, name: str, other: str
) -> None:
    here = await scene(world)
    await IDEMPOTENT[name](here, here.caller, KEY, 0)
    for number in (0, 1, 2) if name != other else (1, 2):
        with pytest.raises(IdempotencyMismatch):
            await IDEMPOTENT[other](here, here.caller, KEY, number)
    assert is_replay(await IDEMPOTENT[name](here, here.caller, KEY, 0))


@pytest.mark.parametrize("name", IDEMPOTENT)
async def test_an_idempotency_key_is_shared_by_a_workspace_and_unknown_in_another(world: World, name: str) -> None:
    here, there, call = await scene(world), await scene(world), IDEMPOTENT[name]
    await call(here, here.caller, KEY, 0)
    colleague = replace(here.caller, key_id=ApiKeyId("key_" + world.new_id(world.clock())), request_id="req_2")
    assert is_replay(await call(here, colleague, KEY, 0))
    assert not is_replay(await call(there, there.caller, KEY, 0))


@pytest.mark.parametrize("name", IDEMPOTENT)
async def test_a_refused_request_leaves_its_idempotency_key_free(world: World, name: str) -> None:
    here, call = await scene(world), IDEMPOTENT[name]
    with pytest.raises((NotFound, Invalid, DuplicateName)):
        await call(here, here.caller, KEY, 2)
    with pytest.raises(InsufficientPermissions):
        await call(here, replace(here.caller, permissions=frozenset({READ})), KEY, 0)
    assert not is_replay(await call(here, here.caller, KEY, 0))
