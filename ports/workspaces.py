"""Workspaces at rest."""

from collections.abc import Sequence
from typing import Protocol

from domain.access import Workspace
from domain.ids import WorkspaceId
from domain.rate_limits import Plan


class Workspaces(Protocol):
    async def add(self, workspace: Workspace) -> None:
        """Keep a new workspace, with nothing used of its quota."""
        ...

    async def get(self, workspace: WorkspaceId) -> Workspace | None:
        """The workspace of that id."""
        ...

    async def all(self) -> Sequence[Workspace]:
        """Every workspace, oldest first."""
        ...

    async def update(self, workspace: WorkspaceId, plan: Plan | None, quota_bytes: int | None) -> Workspace | None:
        """Change what is not `None`; the workspace as it is then, or `None` when there is no such workspace.

        A quota below what is used already is kept: nothing more fits until enough is deleted.
        """
        ...
