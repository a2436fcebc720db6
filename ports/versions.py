"""The versions that a store may keep of one object."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.paths import StoragePath


@dataclass(frozen=True, slots=True)
class OtherVersions:
    """The versions at a path beside one that is kept: how many were found, and whether the store held some of them."""

    found: int
    are_held: bool = False


class ObjectVersions(Protocol):
    """The versions of the objects of a store. Both methods raise `Unavailable` as those of `ObjectStorage` do."""

    def list_replaced(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        """Yield the object keys below `prefix` that have more versions than the newest, in pages of at most 1,000.

        Each is yielded once. The caller may delete versions at yielded object keys before it asks for the next page.
        """
        ...

    async def delete_other_versions(self, path: StoragePath, version_id: str, *, dry_run: bool) -> OtherVersions:
        """Delete every version at the path but this one. `dry_run` only counts them.

        If the store does not have this version, another one may be a copy of it, as after a move to another store:
        nothing is deleted, and none is reported. Delete markers stay.
        """
        ...


class OneVersion(ObjectVersions):
    """`ObjectVersions` of a store that keeps one version of each object."""

    async def list_replaced(self, *_: object, **__: object) -> AsyncIterator[Sequence[str]]:
        pages: Sequence[Sequence[str]] = ()
        for page in pages:
            yield page

    async def delete_other_versions(self, *_: object, **__: object) -> OtherVersions:
        return OtherVersions(0)
