"""Workspaces and API keys for tests. An operator makes them, by the command line or, in memory, by use cases."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from .client import Client
from .service import ApiKey, Cli

READ_WRITE = ("read:documents", "write:documents")


class Operator(Protocol):
    """The actions of an operator that tests need. `Cli` implements them, and so does `tests.memory_transport`."""

    def create_workspace(self, plan: str, quota: str) -> str:
        """Return the id of a new workspace. `quota` is a size as the command line takes it, such as `10GB`."""

    def set_quota(self, workspace: str, quota: str) -> None: ...

    def create_api_key(self, workspace: str, permissions: Sequence[str], tier: str) -> ApiKey: ...

    def revoke_api_key(self, api_key_id: str) -> None: ...


@dataclass(frozen=True)
class Tenants:
    """Clients of one deployment. `transport` replaces the network if the deployment has no server."""

    base_url: str
    operator: Operator
    transport: httpx.BaseTransport | None = None
    _clients: list[Client] = field(default_factory=list)

    @property
    def cli(self) -> Cli:
        """The command line, which only a real deployment has."""
        assert isinstance(self.operator, Cli), "a test that runs commands needs @pytest.mark.server"
        return self.operator

    def workspace(self, plan: str = "org", quota: str = "10GB") -> str:
        return self.operator.create_workspace(plan, quota)

    def api_key(self, workspace: str, *permissions: str, tier: str = "unmetered") -> ApiKey:
        """Return an API key that no rate limit refuses, unless `tier` says otherwise."""
        return self.operator.create_api_key(workspace, permissions or READ_WRITE, tier)

    def connect(self, key: str | None, workspace: str = "", *, admitted: bool = True) -> Client:
        client = Client(self.base_url, key, workspace, admitted=admitted, transport=self.transport)
        self._clients.append(client)
        return client

    def client(
        self,
        workspace: str = "",
        *permissions: str,
        tier: str = "unmetered",
        plan: str = "org",
        quota: str = "10GB",
    ) -> Client:
        """Return a client with an API key of its own, in a new workspace unless `workspace` is the id of one."""
        workspace = workspace or self.workspace(plan, quota)
        return self.connect(self.api_key(workspace, *permissions, tier=tier).key, workspace)

    def close(self) -> None:
        for client in self._clients:
            client.close()
