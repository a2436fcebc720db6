"""A queue in which the workspaces take turns, so that none waits for all the writes of another one."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Generic, Protocol, TypeVar

from domain.ids import WorkspaceId


class OfWorkspace(Protocol):
    """What waits in the queue."""

    @property
    def workspace(self) -> WorkspaceId: ...


Item = TypeVar("Item", bound=OfWorkspace)


class FairQueue(Generic[Item]):
    """The waiting items. Those of one workspace keep their order; the workspaces take turns, one item each."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        # In the order of their turns.
        self._queues: OrderedDict[WorkspaceId, deque[Item]] = OrderedDict()
        self._length = 0
        self.extend(items)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        return chain.from_iterable(self._queues.values())

    @property
    def first(self) -> Item:
        """The item that `pop` returns next."""
        return next(iter(self._queues.values()))[0]

    @property
    def workspaces(self) -> int:
        """The number of workspaces that have items."""
        return len(self._queues)

    def of(self, workspace: WorkspaceId) -> int:
        """Return the number of items of a workspace."""
        return len(self._queues.get(workspace, ()))

    def append(self, item: Item) -> None:
        """Add an item behind the others of its workspace."""
        self._queue(item).append(item)
        self._length += 1

    def extend(self, items: Iterable[Item]) -> None:
        """Append items."""
        for item in items:
            self.append(item)

    def put_back(self, items: Iterable[Item]) -> None:
        """Add items, in their order, before all others. Their workspaces have the next turns."""
        for item in reversed([*items]):
            self._queue(item).appendleft(item)
            self._queues.move_to_end(item.workspace, last=False)
            self._length += 1

    def pop(self) -> Item:
        """Remove and return the first item of the workspace whose turn it is. Its next turn is after the others'."""
        workspace, queue = self._queues.popitem(last=False)
        item = queue.popleft()
        if queue:
            self._queues[workspace] = queue
        self._length -= 1
        return item

    def _queue(self, item: Item) -> deque[Item]:
        return self._queues.setdefault(item.workspace, deque())
