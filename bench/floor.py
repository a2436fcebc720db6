"""The bare handler: a Litestar handler that reads the same body as Dossier's, records nothing, and returns as many
bytes.

`python -m bench.floor PORT` serves it as `dossier serve` would, with Dossier's own protocol class.
"""

import gc
import sys
from typing import Annotated, Any

import uvicorn
from litestar import Litestar, post
from msgspec import Meta, Struct

from app.main import YOUNG_OBJECTS
from app.server.protocol import Protocol


class Body(Struct):
    """The body of a create."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    mime_type: str
    storage_path: str
    size_bytes: int | None = None
    description: str | None = None
    folder: str | None = None
    tags: list[str] | None = None


class Record(Struct):
    """A document as recorded."""

    id: str
    name: str
    description: str | None
    mime_type: str
    size_bytes: int | None
    storage_path: str
    folder: str | None
    tags: list[str]
    created_by: str
    created_at: str
    updated_at: str


class Envelope(Struct):
    """The envelope of every success."""

    data: Record


@post("/v1/documents")
async def create_document(data: Body) -> Envelope:
    """Return 201 with the members of the body, plus as many bytes as Dossier would add."""
    return Envelope(
        Record(
            id="doc_01M84JC1BPMH100XWPY0H5DGJN",
            name=data.name,
            description=data.description,
            mime_type=data.mime_type,
            size_bytes=data.size_bytes,
            storage_path=data.storage_path,
            folder=data.folder,
            tags=data.tags or [],
            created_by="usr_01M84JBZKK9MV9FYJRXH48B7MR",
            created_at="2026-11-23T16:03:36Z",
            updated_at="2026-11-23T16:03:36Z",
        )
    )


def freeze() -> None:
    """Freeze the objects allocated so far, as Dossier does after its start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def serve(application: Any, port: int) -> None:
    """Serve the application as `dossier serve` would, until the process is stopped."""
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    serve(Litestar([create_document], openapi_config=None, on_startup=[freeze]), int(sys.argv[1]))
