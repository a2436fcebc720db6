"""The same requests, 32 at a time, to two Dossiers: one with its objects in a directory, one with them in a bucket."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import servers
from bench.contenders import DOSSIER, MOST, Sample, Service
from bench.cpu import process_seconds
from bench.crowd import READ_PATH, Crowd, create_workspaces, record_read_document, upload_model
from bench.facts import FILE_BYTES, MIME_TYPE, NAME
from bench.library import CREATE, READ, UPLOAD_URL, raw
from bench.postgres import Postgres
from bench.servers import Server, free_port, running
from bench.storage.stub import ACCESS_KEY, BUCKET, REGION, SECRET_KEY

FILES = "directory"
S3 = "S3"
STORES = (FILES, S3)
DATABASES = ("files", "bucket")
"""One database per store: copies of the migrated one."""

BOUND_UPLOAD_URL = "upload-url, length and SHA-256"
REQUESTS = (UPLOAD_URL, BOUND_UPLOAD_URL, CREATE, READ)

_ASKED = {
    UPLOAD_URL: {"name": NAME, "mime_type": MIME_TYPE},
    BOUND_UPLOAD_URL: {"name": NAME, "mime_type": MIME_TYPE, "size_bytes": FILE_BYTES, "sha256": "ab" * 32},
}


@dataclass(frozen=True, slots=True)
class Figures(Sample):
    """One run, and the CPU of the stub."""

    stub_us: float | None


@dataclass(frozen=True, slots=True)
class Store:
    """A Dossier and its object store. `stub` is `None` for the directory."""

    name: str
    service: Service
    crowd: Crowd
    stub: Server | None

    async def run(self, request_name: str, seconds: int) -> Figures:
        """Send the request for `seconds`.

        Raises:
            Refused: a request was refused.
        """
        before = process_seconds(self.stub.pid) if self.stub else 0.0
        if request_name == CREATE:
            sample = await self.service.run(self.crowd, connections=MOST, idempotent=True, seconds=seconds)
        else:
            sample = await self.service.repeat(self._file(request_name), connections=MOST, seconds=seconds)
        stub_us = (process_seconds(self.stub.pid) - before) / (sample.rate * seconds) * 1e6 if self.stub else None
        return Figures(**asdict(sample), stub_us=stub_us)

    def _file(self, request_name: str) -> Path:
        return self.crowd.root.with_name(f"{self.name}-{REQUESTS.index(request_name)}.request")

    async def write_requests(self) -> None:
        """Write the repeated requests into files, and record the document that one of them reads."""
        member = self.crowd.members[0]
        document = await asyncio.to_thread(record_read_document, self.service.server.url, member)
        base_url = self.service.server.url
        for request_name, asked in _ASKED.items():
            request = raw(base_url, "POST", "/v1/documents/upload-url", member, asked)
            self._file(request_name).write_bytes(request)
        self._file(READ).write_bytes(raw(base_url, "GET", f"/v1/documents/{document}", member))


@asynccontextmanager
async def open_stores(directory: Path, postgres: Postgres) -> AsyncIterator[Mapping[str, Store]]:
    """Run both servers, and the S3 stub that one of them uses, until the end of the block."""
    await asyncio.to_thread(directory.mkdir)
    data = {"DOSSIER_DATA_DIR": str(directory)}
    ports = free_port(), free_port(), free_port()
    in_files = data | {
        "DOSSIER_DATABASE_URL": postgres.url(DATABASES[0]),
        "DOSSIER_STORAGE_URL": (directory / "files").as_uri(),
    }
    in_bucket = data | {
        "DOSSIER_DATABASE_URL": postgres.url(DATABASES[1]),
        "DOSSIER_STORAGE_URL": f"s3://{BUCKET}?region={REGION}&endpoint=http://127.0.0.1:{ports[2]}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    # The workspaces are created with the settings of the directory store: a process that calls the bucket needs
    # credentials, and this process has none.
    members = [
        await create_workspaces(in_files | {"DOSSIER_DATABASE_URL": postgres.url(database)}, 1)
        for database in DATABASES
    ]
    async with (
        running("stub", ports[2], stub(ports[2]), data) as s3,
        running("files", ports[0], servers.dossier(ports[0]), in_files) as files,
        running("bucket", ports[1], servers.dossier(ports[1]), in_bucket) as bucket,
    ):
        model = Path("workspaces") / (await upload_model(files.url, members[0][0])).relative_to("workspaces")
        stores = {
            FILES: Store(
                FILES,
                Service(f"{DOSSIER}, {FILES}", files, postgres, DATABASES[0]),
                Crowd(members[0], directory / "files", model),
                None,
            ),
            S3: Store(
                S3,
                Service(f"{DOSSIER}, {S3}", bucket, postgres, DATABASES[1]),
                # The stub has an object at every path.
                Crowd(members[1], directory / "bucket", model, has_files=False),
                s3,
            ),
        }
        stores[FILES].crowd.link(f"workspaces/{members[0][0].workspace_id}/{READ_PATH}")
        for store in stores.values():
            await store.write_requests()
        yield stores


def stub(port: int) -> list[str]:
    """Return the command of the S3 stub."""
    return [sys.executable, "-m", "bench.storage.stub", str(port)]
