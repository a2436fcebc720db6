"""Every operation that honours an idempotency key distinguishes a retry from another request.

tests/contracts/test_idempotency_keys.py proves how long a receipt is kept and what it answers.
"""

from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import IdempotencyMismatch
from domain.members import Members
from tests.domain.samples import LINK
from tests.domain.test_every_operation import OPERATIONS, Scene, scene
from tests.domain.world import World, members

Request = tuple[str, str, Members]
"""The name of an operation in `OPERATIONS`, an id, and the members."""

REQUESTS: dict[str, Callable[[Scene], list[Request]]] = {
    "create": lambda it: [("create_document", "", members(path)) for path in it.paths],
    "patch": lambda it: [("patch_document", it.documents[0], {"name": name}) for name in ("b.pdf", "c.pdf")],
    "move": lambda it: [("move_folder", "", {"from": "/a", "to": target}) for target in ("/b", "/c")],
    "delete a folder": lambda it: [("delete_folder", "", {"folder": folder}) for folder in ("/empty", "/a")],
    "delete": lambda it: [("delete_document", id_, {}) for id_ in it.documents[1:3]],
    "delete hard": lambda it: [("delete_document hard", id_, {}) for id_ in it.documents[3:5]],
    "soft or hard": lambda it: [(f"delete_document{hard}", it.documents[5], {}) for hard in ("", " hard")],
    "link": lambda it: [("link_document", it.documents[0], {**LINK, "entity_id": id_}) for id_ in ("1", "2")],
    "link another document": lambda it: [("link_document", id_, LINK) for id_ in it.documents[:2]],
    "unlink": lambda it: [("unlink_document", it.documents[0], {"link": link}) for link in it.links],
    "create an API key": lambda it: [
        ("create_api_key", "", {"name": name, "permissions": ["read:documents"]}) for name in ("CI", "CD")
    ],
    "revoke": lambda it: [("revoke_api_key", id_, {}) for id_ in it.api_keys[1:3]],
}
"""Two requests of each kind that differ in one place."""


def is_replay(outcome: Any) -> bool:
    return outcome if isinstance(outcome, bool) else outcome.replayed


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_same_request_is_replayed_and_every_other_one_is_a_mismatch(world: World, name: str) -> None:
    here = await scene(world)

    async def send(request: Request) -> Any:
        operation, id_, sent = request
        return await OPERATIONS[operation][1](world.use_cases, here.caller, id_, sent)

    first, _ = REQUESTS[name](here)
    assert not is_replay(await send(first))
    for request in (request for requests in REQUESTS.values() for request in requests(here) if request != first):
        with pytest.raises(IdempotencyMismatch):
            await send(request)
    assert is_replay(await send(first))
