"""The command `dossier serve`: it prepares the service once, then serves with one process or several.

On the first start with an embedded database, it also creates a workspace and an API key and prints a walk-through.
"""

import asyncio
import fcntl
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

import click
import uvicorn
import uvloop

from adapters.secret.directory import write_private
from app.main import create_app
from app.server.first_requests import FirstRequestProtocol
from app.server.limits import raise_descriptor_limit
from app.server.workers import HEALTHCHECK_SECONDS, check_workers, held_open, log_to_stderr, supervise, worker_app
from app.settings import Settings
from app.wiring import Service, database_url, open_service
from domain.access import Permission
from domain.rate_limits import Plan
from ports.system import Unavailable

FIRST_QUOTA_BYTES = 10 * 10**9
DRAIN_SECONDS = 10
BACKLOG = 2048
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""For each host that means "every address", the host by which this machine reaches the server."""


def run_server(host: str, port: int, workers: int = 1) -> None:
    """Serve until Ctrl-C or SIGTERM. Then give accepted requests ten seconds to finish, and return.

    Raises:
        SettingsError, Unavailable, NotMigrated, OtherSecret, ForeignStore: before anything is served.
        SystemExit: with code 1 if the server or one of its workers could not start. The reason is in the log.
    """
    settings = replace(Settings.read(os.environ), workers=workers)
    check_workers(settings)
    # The port is opened first, so that a port in use is reported before an API key is created and shown.
    listening = _listen(host, port)
    address = _address(host, listening.getsockname()[1])
    settings = replace(settings, address=address)
    log_to_stderr()
    if settings.public_url is None and host in _EVERY_ADDRESS:
        click.echo(
            f"Warning: DOSSIER_PUBLIC_URL is not set, so signed URLs begin with {address}, which only this machine can "
            "reach. Set it to the address that clients use.",
            err=True,
        )
    # The limit is raised before the workers and the embedded Postgres start, so that they inherit it.
    raise_descriptor_limit()
    if workers == 1:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            started = runner.run(_serve(settings, listening, address))
    else:
        # The parent process holds the database open, so that an embedded Postgres runs from before the first request
        # until after the last, and is restarted if it is killed. That needs an event loop in another thread, because
        # the supervisor needs this thread for signals.
        with held_open(database_url(settings)) as url:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_prepare(settings, address))
            # With the database's URL in its settings, a worker neither starts nor migrates an embedded database.
            started = supervise(_config(worker_app, replace(settings, database_url=url)), listening)
    if not started:
        sys.exit(1)


def _config(create: Callable[[Settings], object], settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        partial(create, settings),
        factory=True,
        # With "auto", uvicorn would treat an unexpected failure at start-up as an application without a lifespan.
        lifespan="on",
        loop="uvloop",
        http=FirstRequestProtocol,
        ws="none",
        # Signed URLs contain their signatures, which must not be in a log.
        access_log=False,
        log_config=None,
        server_header=False,
        # By default, uvicorn trusts X-Forwarded-For from this machine, so a local client that guesses API keys could
        # claim any address.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        workers=settings.workers,
        timeout_worker_healthcheck=HEALTHCHECK_SECONDS,
    )


async def _serve(settings: Settings, listening: socket.socket, address: str) -> bool:
    # The database is held open here, so that an embedded Postgres runs from before the first request until after the
    # last.
    async with database_url(settings) as url:
        await _prepare(settings, address)
        # uvicorn drains, then raises the signal again. It must not end this process before the database has stopped.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        server = _Server(_config(partial(create_app, prepared=True), replace(settings, database_url=url)))
        # uvicorn exits in this way if the application has not started.
        with suppress(SystemExit):
            await server.serve(sockets=[listening])
        return server.started


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # By default, a second Ctrl-C drops accepted requests. The first one already ends them within ten seconds.
        if not self.should_exit:
            super().handle_exit(sig, frame)


async def _prepare(settings: Settings, address: str) -> None:
    """Open the service once, to report what is wrong before serving, and to prepare and claim the store.

    An embedded database is migrated, and gets a first workspace and API key if it has none.
    """
    async with open_service(settings, serving=True) as service:
        await service.ports.storage.prepare()
        await service.use_cases.claim_store()
        for probe in service.ports.probes.values():
            await probe()
        if settings.database_url is None:
            with (settings.data_dir / "first-run.lock").open("w") as lock:
                # If two servers start at once on an empty directory, one creates the workspace and the other finds it.
                await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
                await _welcome(service, settings.public_url or address, settings.data_dir / "first-api-key")
        if not await service.ports.workspaces.recently_used(1):
            click.echo("There is no API key yet: create one with 'dossier workspace create' and 'dossier keys create'.")
    click.echo(f"Dossier answers on {address}, the API reference is {address}/docs. Ctrl-C stops it.")


async def _welcome(service: Service, url: str, file: Path) -> None:
    """Create a workspace and an API key, if there is no workspace, and print a walk-through.

    The API key is printed to a terminal only. A log is read by more people than an API key is meant for, so
    without a terminal it is written to `file`.
    """
    async for _ in service.ports.workspaces.pages():
        return
    # Plan org, because starter allows only ten requests a minute.
    workspace = await service.use_cases.create_workspace("My workspace", Plan.ORG, FIRST_QUOTA_BYTES)
    minted = await service.use_cases.mint_api_key(workspace=workspace.id, name="First key", granted=list(Permission))
    if sys.stdout.isatty():
        where, key = f"Keep the key, it is shown only now:\n\n    {minted.secret}", minted.secret
    else:
        write_private(file, minted.secret)
        where = f"The key is in a file that only this user can read. Keep it, then remove the file:\n\n    {file}"
        key = f"$(cat {shlex.quote(str(file))})"
    click.echo(_WELCOME.format(workspace=workspace.id, where=where, key=key, url=url))


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise Unavailable(
            f"cannot listen on {host} port {port}: {why}; choose others with --host and --port"
        ) from error


def _address(host: str, port: int) -> str:
    """Return the URL at which this machine reaches the server."""
    reachable = _EVERY_ADDRESS.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


_WELCOME = """\
There was no workspace yet, so one was made: {workspace}, with an API key that has every permission.
{where}

Paste this into another terminal. It uploads a file, records it, reads the record and downloads the file again;
FILE and TYPE may be those of any file of yours:

    KEY={key}
    URL={url}
    json() {{ python3 -c 'import json, sys; print(json.dumps(dict(a.split("=", 1) for a in sys.argv[1:])))' "$@"; }}
    pick() {{ python3 -c 'import json, sys; a = json.load(sys.stdin); print((a.get("data") or sys.exit(a))[sys.argv[1]])' "$1"; }}
    headers() {{ python3 -c 'import json, sys; [print(*header, sep=": ") for header in json.load(sys.stdin)["data"]["headers"].items()]'; }}
    api() {{ curl -sS -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' "$@"; }}

    echo 'My first document' > first.txt
    FILE=first.txt TYPE=text/plain
    NAME=$(basename -- "$FILE")

    rm -f downloaded
    UPLOAD=$(api "$URL/v1/documents/upload-url" -d "$(json name="$NAME" mime_type="$TYPE")") &&
    LINK=$(printf %s "$UPLOAD" | pick upload_url) &&
    STORED=$(printf %s "$UPLOAD" | pick storage_path) &&
    printf %s "$UPLOAD" | headers | curl -sS -g -T "$FILE" -H @- "$LINK" &&
    DOCUMENT=$(api "$URL/v1/documents" -H "Idempotency-Key: $(python3 -c 'import uuid; print(uuid.uuid4())')" \\
      -d "$(json name="$NAME" mime_type="$TYPE" folder=/inbox storage_path="$STORED")") &&
    printf '%s\\n' "$DOCUMENT" &&
    FOUND=$(api "$URL/v1/documents/$(printf %s "$DOCUMENT" | pick id)") &&
    DOWNLOAD=$(printf %s "$FOUND" | pick download_url) &&
    curl -sS -o downloaded "$DOWNLOAD" &&
    cmp -- "$FILE" downloaded && echo 'The same bytes came back.'
"""  # noqa: E501  lines to paste are not wrapped
