"""A call of a writing method of `DocumentRepository` (except `create`) as a value, for tests that do the same with
every method."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ports.documents import DocumentRepository
from ports.intents import Intent


@dataclass(frozen=True, slots=True)
class Change:
    """A call of one method of the repository, without its intent."""

    method: str
    arguments: Mapping[str, object]

    async def apply(self, documents: DocumentRepository, intent: Intent) -> Any:
        """Call the method on a repository, and return the outcome."""
        return await getattr(documents, self.method)(**self.arguments, intent=intent)


def change(method: str, **arguments: object) -> Change:
    """Return the call of a method with these arguments."""
    return Change(method, arguments)
