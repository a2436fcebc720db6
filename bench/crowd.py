"""The clients of the benchmark: workspaces with an API key each, and stored objects to record."""

import asyncio
import errno
import http.client
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from app.settings import Settings
from app.wiring import open_service
from bench.facts import FILE_BYTES, FOLDER, MIME_TYPE, NAME, TAGS
from domain.access import Permission
from domain.rate_limits import Plan, Tier

READ_PATH = "documents/a-document-that-is-read"
"""The folder of the recorded objects, below each workspace's prefix."""

_QUOTA_BYTES = 10**15
_SECONDS_TO_ANSWER = 10


@dataclass(frozen=True, slots=True)
class Member:
    """A workspace, and an API key that may write to it."""

    workspace_id: str
    api_key: str


@dataclass(slots=True)
class Crowd:
    """Workspaces that are written to in turn. Path number n is `b<n>`, nine digits, in workspace n modulo their number.

    Each contender records each path at most once. Contenders have databases of their own, so they may record the same
    paths.
    """

    members: list[Member]
    root: Path
    model: Path
    """The stored object below `root/objects`. All other objects are hard links to it."""
    has_files: bool = True
    """Whether the objects are below `root`. If not, the store has an object at every path."""
    stocked: int = 0
    accounts: Path = field(init=False)
    """The input of load.lua: one line per workspace, with its id and its API key."""

    def __post_init__(self) -> None:
        self.accounts = self.root.with_name(f"accounts-{self.members[0].workspace_id}")
        self.accounts.write_text("".join(f"{member.workspace_id} {member.api_key}\n" for member in self.members))
        for tree in ("objects", "checksums") if self.has_files else ():
            for member in self.members:
                (self.root / tree / "workspaces" / member.workspace_id / "documents").mkdir(parents=True, exist_ok=True)

    def path(self, number: int) -> str:
        """Return the storage path of this number."""
        home = self.members[number % len(self.members)].workspace_id
        return f"workspaces/{home}/documents/b{number:09}"

    def stock(self, stop: int) -> None:
        """Make sure that all paths below `stop` have objects.

        They are hard links to one object and one checksum. The checksum stays valid because links share their time. So
        every contender pays for one `stat` of a file whose directory entry is cached.
        """
        if self.has_files:
            for number in range(self.stocked, stop):
                self.link(self.path(number))
        self.stocked = max(self.stocked, stop)

    def link(self, path: str) -> None:
        """Make sure that this path has an object."""
        for tree in ("objects", "checksums"):
            self._link(self.root / tree / self.model, self.root / tree / path)

    def _link(self, model: Path, target: Path) -> None:
        try:
            os.link(model, target)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            # ext4 allows 65,000 names per file. Continue with a copy that keeps the time.
            copy = model.with_name("copy")
            shutil.copy2(model, copy)
            copy.replace(model)
            os.link(model, target)


async def create_workspaces(environment: dict[str, str], count: int) -> list[Member]:
    """Create workspaces without effective quotas and rate limits, in the database that the settings name."""
    async with open_service(Settings.read(environment)) as service:
        members = []
        for number in range(count):
            workspace = await service.use_cases.create_workspace(f"Bench {number}", Plan.ORG, _QUOTA_BYTES)
            minted = await service.use_cases.mint_api_key(
                workspace=workspace.id, name="Bench", granted=list(Permission), tier=Tier.UNMETERED
            )
            members.append(Member(workspace.id, minted.secret))
        return members


async def upload_model(base_url: str, member: Member) -> Path:
    """Upload one file as a client does, and return the path of the stored object."""
    return Path(await asyncio.to_thread(_upload, base_url, member))


def record_read_document(base_url: str, member: Member) -> str:
    """Record the document that the read cases read, whose object exists, and return its id."""
    asked = {
        "name": NAME,
        "mime_type": MIME_TYPE,
        "storage_path": f"workspaces/{member.workspace_id}/{READ_PATH}",
        "folder": FOLDER,
        "tags": list(TAGS),
    }
    headers = {"Authorization": f"Bearer {member.api_key}", "Content-Type": "application/json"}
    status, answer = request(base_url, "POST", "/v1/documents", json.dumps(asked).encode(), headers)
    if status != 201:
        raise RuntimeError(f"a create got {status}: {answer}")
    return str(json.loads(answer)["data"]["id"])


def _upload(base_url: str, member: Member) -> str:
    asked = {"name": "Acme-NDA-2026.pdf", "mime_type": "application/pdf"}
    headers = {"Authorization": f"Bearer {member.api_key}", "Content-Type": "application/json"}
    status, answer = request(base_url, "POST", "/v1/documents/upload-url", json.dumps(asked).encode(), headers)
    if status != 200:
        raise RuntimeError(f"upload-url got {status}: {answer}")
    link = json.loads(answer)["data"]
    target = urlsplit(link["upload_url"])
    status, answer = request(
        base_url, link["method"], f"{target.path}?{target.query}", os.urandom(FILE_BYTES), link["headers"]
    )
    if status not in (200, 201, 204):
        raise RuntimeError(f"the upload got {status}: {answer}")
    return str(link["storage_path"])


def request(base_url: str, method: str, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """Send one request and return the status and body of the response."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=_SECONDS_TO_ANSWER)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()
