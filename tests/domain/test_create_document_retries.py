"""Retries of a create: when the object has changed meanwhile, and after a refusal or a failure.

What all operations share is in test_every_retry.py.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.access import Caller
from domain.errors import (
    Invalid,
    QuotaExceeded,
    Refusal,
    StorageConflict,
)
from domain.paths import StoragePath, workspace_prefix
from ports.queries import Usage
from ports.system import Unavailable
from tests.domain.samples import FOREIGN
from tests.domain.world import Instead, World, members, unavailable

KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@pytest.mark.parametrize("replacement", [None, b"", b"other length", b"54321"], ids=repr)
@pytest.mark.parametrize("more", [{}, {"size_bytes": 5}], ids=["size left out", "size sent"])
async def test_a_retry_is_replayed_although_the_object_is_gone_or_has_changed(
    world: World, replacement: bytes | None, more: dict[str, object]
) -> None:
    caller = await world.caller()
    path = await world.upload(caller, b"12345")
    first = await world.create_document(caller, members(path, **more), KEY)
    world.storage.swap(path, replacement)
    again = await world.create_document(caller, members(path, **more), KEY)
    assert again.replayed
    assert again.document == first.document


async def prepare(world: World) -> tuple[Caller, dict[str, StoragePath]]:
    """Return a caller with a quota of 100 bytes; and paths: one recorded, two with objects, one without."""
    caller = await world.caller(quota_bytes=100)
    return caller, {
        "taken": (await world.record(caller, b"x" * 10)).storage_path,
        "big": await world.upload(caller, b"x" * 91),
        "free": await world.upload(caller, b"x" * 90),
        "absent": StoragePath(workspace_prefix(caller.workspace_id) + "absent"),
    }


REFUSED: dict[str, tuple[type[Refusal], str, dict[str, object]]] = {
    "a wrong member": (Invalid, "free", {"name": ""}),
    "an unknown member": (Invalid, "free", {"owner": "me"}),
    "a foreign path": (Invalid, "free", {"storage_path": f"workspaces/{FOREIGN}/a"}),
    "no bytes": (Invalid, "absent", {}),
    "another size": (Invalid, "free", {"size_bytes": 89}),
    "a path taken": (StorageConflict, "taken", {}),
    "over quota": (QuotaExceeded, "big", {}),
}


@pytest.mark.parametrize(("refusal", "at", "more"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_writes_and_charges_nothing_and_leaves_the_key_free(
    world: World, refusal: type[Refusal], at: str, more: dict[str, object]
) -> None:
    caller, paths = await prepare(world)
    for _ in range(2):
        with pytest.raises(refusal):
            await world.create_document(caller, {**members(paths[at], folder="/new"), **more}, KEY)
        assert await world.documents.usage(caller.workspace_id) == Usage(10, 100, 1)
    good = members(paths["free"])
    assert not (await world.create_document(caller, good, KEY)).replayed
    assert (await world.create_document(caller, good, KEY)).replayed


async def test_an_unavailable_store_leaves_the_key_free(world: World) -> None:
    caller, paths = await prepare(world)
    cut_off: Any = Instead(world.storage, stat=unavailable)
    with pytest.raises(Unavailable):
        await replace(world.create_document, storage=cut_off)(caller, members(paths["free"]), KEY)
    assert await world.documents.usage(caller.workspace_id) == Usage(10, 100, 1)
    assert not (await world.create_document(caller, members(paths["free"]), KEY)).replayed
