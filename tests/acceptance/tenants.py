"""Workspaces and keys for tests, made by the command line as an operator makes them."""

from dataclasses import dataclass, field
from uuid import uuid4

from .client import Client
from .service import Cli

READ_WRITE = ("read:documents", "write:documents")


@dataclass(frozen=True)
class Key:
    id: str
    key: str


@dataclass(frozen=True)
class Tenants:
    base_url: str
    cli: Cli
    _clients: list[Client] = field(default_factory=list)

    def workspace(self, plan: str = "org", quota: str = "10GB") -> str:
        made = self.cli.ask("workspace", "create", f"w-{uuid4()}", "--plan", plan, "--quota", quota)
        workspace: str = made["id"]
        return workspace

    def key(self, workspace: str, *permissions: str, tier: str = "unmetered", expires_at: str = "") -> Key:
        """A key which is never refused for its rate, unless `tier` says otherwise."""
        words = ["--workspace", workspace, "--name", f"k-{uuid4()}", "--tier", tier]
        for permission in permissions or READ_WRITE:
            words += ["--permission", permission]
        if expires_at:
            words += ["--expires-at", expires_at]
        made = self.cli.ask("keys", "create", *words)
        return Key(made["id"], made["key"])

    def connect(self, key: str | None, workspace: str = "", *, admitted: bool = True) -> Client:
        client = Client(self.base_url, key, workspace, admitted=admitted)
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
        """A client with a key of its own; without `workspace` in a fresh one."""
        workspace = workspace or self.workspace(plan, quota)
        return self.connect(self.key(workspace, *permissions, tier=tier).key, workspace)

    def close(self) -> None:
        for client in self._clients:
            client.close()
