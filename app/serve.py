"""`dossier serve`: one process that answers requests, and a welcome for whoever starts it the first time."""

import asyncio
import os
import signal
import sys

import click
import uvicorn

from app.container import open_backends
from app.settings import PREFIX, Settings
from domain.access import Permission, Plan

FIRST_QUOTA_BYTES = 10 * 10**9


def run_server(host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM, then answer what was accepted, and return.

    Raises:
        SettingsError, Unavailable, NotMigrated: before anything is served.
    """
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        # Paths of links carry their signatures: they are for their holders, not for a log.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        log_level="warning",
    )
    # First of all, so that a port that is taken is said before a key is shown.
    listening = config.bind_socket()
    address = f"http://{host}:{listening.getsockname()[1]}"
    os.environ.setdefault(PREFIX + "PUBLIC_URL", address)
    welcome = asyncio.run(_prepare(Settings.read(os.environ)))
    click.echo(f"Dossier answers on {address} (API reference: {address}/docs). Ctrl-C stops it.{welcome}")
    # uvicorn drains, then raises the signal again: with these handlers, that ends in words and 0, not in a traceback.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


async def _prepare(settings: Settings) -> str:
    """Open everything once: so what is wrong is said in words, a database of ours is migrated, and the first start
    ends with something to try."""
    async with open_backends(settings) as backends:
        if settings.database_url is not None or await backends.workspaces.all():
            return ""
        # Plan org, so that nobody who tries things out meets a limit at the eleventh call.
        workspace = await backends.create_workspace("My workspace", Plan.ORG, FIRST_QUOTA_BYTES)
        minted = await backends.mint_key(workspace=workspace.id, name="First key", granted=list(Permission))
        return _WALK_THROUGH.format(workspace=workspace.id, key=minted.secret, url=settings.public_url)


_WALK_THROUGH = """

This data directory was empty, so there is now a workspace, {workspace}, and an API key with every permission.
Keep the key, it is shown only now:

    {key}

Paste this into another terminal to upload a file, record it, read it back and download it:

    KEY={key}
    URL={url}
    pick() {{ python3 -c "import json, sys; print(json.load(sys.stdin)['data']['$1'])"; }}
    printf 'My first document\\n' > first.txt

    UPLOAD=$(curl -s "$URL/v1/documents/upload-url" -H "Authorization: Bearer $KEY" \\
      -H 'Content-Type: application/json' -d '{{"name": "first.txt", "mime_type": "text/plain"}}')
    curl -s -T first.txt -H 'Content-Type: text/plain' "$(echo "$UPLOAD" | pick upload_url)"

    DOCUMENT=$(curl -s "$URL/v1/documents" -H "Authorization: Bearer $KEY" \\
      -H 'Content-Type: application/json' -H "Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')" \\
      -d '{{"name": "first.txt", "mime_type": "text/plain", "folder": "/inbox", "tags": ["first"],
           "storage_path": "'"$(echo "$UPLOAD" | pick storage_path)"'"}}')
    echo "$DOCUMENT"

    FOUND=$(curl -s "$URL/v1/documents/$(echo "$DOCUMENT" | pick id)" -H "Authorization: Bearer $KEY")
    curl -s "$(echo "$FOUND" | pick download_url)"
"""
