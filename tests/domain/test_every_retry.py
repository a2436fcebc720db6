"""Every operation with an idempotency key distinguishes a retry from another request.

What becomes of an idempotency key is proven in tests/contracts/test_idempotency_keys.py.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.errors import IdempotencyMismatch
from tests.domain.samples import LINK
from tests.domain.test_every_operation import KEY, Scene, scene
from tests.domain.world import World, members

Retry = Callable[[Scene, int], Awaitable[Any]]
"""Calls an operation with the idempotency key `KEY` for request 0, or for request 1, which differs in one place."""

IDEMPOTENT: dict[str, Retry] = {
    "create_document": lambda it, number: it.world.create_document(it.caller, members(it.paths[number]), KEY),
    "patch_document": lambda it, number: it.world.patch_document(
        it.caller, it.documents[0], {"name": ["b.pdf", "c.pdf"][number]}, KEY
    ),
    "move_folder": lambda it, number: it.world.move_folder(it.caller, {"from": "/a", "to": ["/b", "/c"][number]}, KEY),
    "delete_folder": lambda it, number: it.world.delete_folder(it.caller, {"folder": ["/empty", "/a"][number]}, KEY),
    "delete_document": lambda it, number: it.world.delete_document(it.caller, it.documents[1 + number], KEY),
    "delete_document hard": lambda it, number: it.world.delete_document(
        it.caller, it.documents[3 + number], KEY, hard=True
    ),
    "delete_document soft or hard": lambda it, number: it.world.delete_document(
        it.caller, it.documents[5], KEY, hard=bool(number)
    ),
    "link_document": lambda it, number: it.world.link_document(
        it.caller, it.documents[0], {**LINK, "entity_id": str(number)}, KEY
    ),
    "link_document of another document": lambda it, number: it.world.link_document(
        it.caller, it.documents[number], LINK, KEY
    ),
    "unlink_document": lambda it, number: it.world.unlink_document(it.caller, it.documents[0], it.links[number], KEY),
    "create_api_key": lambda it, number: it.world.create_api_key(
        it.caller, {"name": ["CI", "CD"][number], "permissions": ["read:documents"]}, KEY
    ),
    "revoke_api_key": lambda it, number: it.world.revoke_api_key(it.caller, it.api_keys[1 + number], KEY),
}


def is_replay(outcome: Any) -> bool:
    return outcome if isinstance(outcome, bool) else outcome.replayed


@pytest.mark.parametrize("name", IDEMPOTENT)
async def test_the_same_request_is_replayed_and_a_different_one_with_its_idempotency_key_is_a_mismatch(
    world: World, name: str
) -> None:
    here, call = await scene(world), IDEMPOTENT[name]
    assert not is_replay(await call(here, 0))
    others = [(other, number) for other in IDEMPOTENT for number in (0, 1) if (other, number) != (name, 0)]
    for other, number in others:
        with pytest.raises(IdempotencyMismatch):
            await IDEMPOTENT[other](here, number)
    assert is_replay(await call(here, 0))
