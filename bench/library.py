"""The documents that the benchmark reads, and the raw requests that it repeats."""

import asyncio
import json
from collections.abc import Iterator
from itertools import count as numbered
from pathlib import Path
from urllib.parse import urlsplit

from bench.crowd import Crowd, Member
from bench.facts import FILE_BYTES, FOLDER, MIME_TYPE, NAME, TAGS

CREATE = "create"
READ = "read, with a download URL"
READ_RECORD = "read, without a URL"
LIST = "list, 25 documents"
UPLOAD_URL = "upload-url"
REQUESTS = (CREATE, READ, READ_RECORD, LIST, UPLOAD_URL)

PAGE = 25
_CONNECTIONS = 16


def raw(base_url: str, method: str, target: str, member: Member, body: object = None) -> bytes:
    """Return a request as it is sent."""
    content = b"" if body is None else json.dumps(body).encode()
    typed = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if content else ""
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: {urlsplit(base_url).netloc}\r\n"
        f"Authorization: Bearer {member.api_key}\r\n{typed}\r\n"
    )
    return head.encode() + content


def write_requests(file: Path, requests: Iterator[bytes]) -> Path:
    """Write requests into a file for repeat.lua, and return the file."""
    file.write_bytes(b"\0".join(requests))
    return file


class Library:
    """The first documents of a crowd in one contender. Document number n has the path with that number."""

    def __init__(self, crowd: Crowd, ids: list[str], files: Path) -> None:
        """`files`: where to keep the requests, as a path without suffix."""
        self._crowd = crowd
        self._ids = ids
        self._files = files

    def requests(self, kind: str, base_url: str) -> Path:
        """Return the file of all requests of this kind to this server. The workspaces take turns."""
        file = self._files.with_suffix(f".{kind.replace(' ', '-')}")
        return write_requests(file, self._requests(kind, base_url))

    def _requests(self, kind: str, base_url: str) -> Iterator[bytes]:
        members = self._crowd.members
        if kind == UPLOAD_URL:
            asked = {"name": NAME, "mime_type": MIME_TYPE, "size_bytes": FILE_BYTES}
            for member in members:
                yield raw(base_url, "POST", "/v1/documents/upload-url", member, asked)
        elif kind == LIST:
            for page in range(1, len(self._ids) // len(members) // PAGE + 1):
                for member in members:
                    yield raw(base_url, "GET", f"/v1/documents?page={page}&per_page={PAGE}", member)
        else:
            query = {READ: "", READ_RECORD: "?download=false"}[kind]
            for number, id_ in enumerate(self._ids):
                yield raw(base_url, "GET", f"/v1/documents/{id_}{query}", members[number % len(members)])


async def record(base_url: str, crowd: Crowd, count: int, files: Path) -> Library:
    """Record the first `count` paths of a crowd over HTTP, and return these documents."""
    crowd.stock(count)
    ids = [""] * count
    numbers = numbered()

    async def send() -> None:
        site = urlsplit(base_url)
        reader, writer = await asyncio.open_connection(site.hostname, site.port)
        try:
            while (number := next(numbers)) < count:
                body = {
                    "name": NAME,
                    "mime_type": MIME_TYPE,
                    "storage_path": crowd.path(number),
                    "folder": FOLDER,
                    "tags": list(TAGS),
                }
                member = crowd.members[number % len(crowd.members)]
                writer.write(raw(base_url, "POST", "/v1/documents", member, body))
                ids[number] = json.loads(await _created(reader))["data"]["id"]
        finally:
            writer.close()

    await asyncio.gather(*(send() for _ in range(_CONNECTIONS)))
    return Library(crowd, ids, files)


async def _created(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    body = await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
    if not head.startswith(b"http/1.1 201"):
        raise RuntimeError(f"a create got {head.splitlines()[0].decode()}: {body.decode(errors='replace')}")
    return body
