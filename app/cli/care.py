"""The commands that maintain a deployment: migrate, doctor, sweep, adopt."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click

from adapters.postgres.migrate import migrate as run_migrations
from app.cli.shared import json_option, say, settings, with_service
from app.doctor import run_checks
from app.settings import SettingsError
from app.wiring import Service, database_url
from domain.use_cases.sweep import SweepReport
from ports.checks import CheckResult, Grade
from ports.deployment import Deployment

_CLEAR = "\r\033[K"


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Migrate the database to the schema of this version. Safe to run at any time, also several times at once."""

    async def run() -> None:
        async with database_url(settings()) as url:
            await run_migrations(url)

    asyncio.run(run())
    say({"migrated": True}, "The database has the schema of this version.", as_json)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check the deployment: settings, database, storage, rate limiter. The exit code is 1 if a check failed."""
    try:
        results = asyncio.run(run_checks(settings()))
    except SettingsError as error:
        results = [CheckResult("settings", Grade.FAILED, str(error))]
    healthy = all(result.grade is not Grade.FAILED for result in results)
    checks = [
        {
            "check": result.check,
            "ok": result.grade is not Grade.FAILED,
            "grade": result.grade,
            "found": result.found,
        }
        for result in results
    ]
    signs = {Grade.OK: "ok  ", Grade.DEGRADED: "note", Grade.FAILED: "FAIL"}
    lines = [f"{signs[result.grade]}  {result.check}: {result.found}" for result in results]
    say({"ok": healthy, "checks": checks}, "\n".join(lines), as_json)
    sys.exit(0 if healthy else 1)


@click.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing; only report what would be deleted.")
@click.option(
    "--yes",
    is_flag=True,
    help="Also delete unexplained orphans where they are more than 5 % of a workspace's objects, or more than 1,000; "
    "and inherited ones.",
)
@json_option
def sweep(dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete objects that belong to no document. A running server does this too, except for what needs --yes.

    Deletes the objects of deleted documents, uploads that were not recorded within a day or never finished, empty
    folders, and expired receipts. Only objects of this database's workspaces are deleted.
    """

    async def run(service: Service) -> SweepReport:
        await service.use_cases.claim_store()
        with _progress_line() as show:
            return await service.use_cases.sweep(dry_run=dry_run, yes=yes, on_progress=show)

    swept = with_service(run)
    if swept.inherited and not yes:
        click.echo(
            f"{swept.inherited} of the unrecorded objects are older than this database's claim on the store; run "
            "'dossier sweep --yes' to delete them.",
            err=True,
        )
    if swept.unconfirmed and dry_run:
        click.echo(
            "Too many objects have no record and were not uploaded through Dossier; without --yes, they are kept in "
            f"{', '.join(swept.unconfirmed)}.",
            err=True,
        )
    if swept.held:
        click.echo(
            f"The store refused to delete the objects at {swept.held} paths; the next sweep tries again.", err=True
        )
    deleted = (
        f"Would delete the unrecorded and late objects, and the objects at {swept.condemned} condemned paths"
        if dry_run
        else f"Deleted the objects at {swept.deleted} paths, {swept.unfinished} unfinished uploads, "
        f"{swept.folders} empty folders and {swept.receipts} expired receipts"
    )
    say(asdict(swept) | {"dry_run": dry_run}, f"{_count(swept)}\n{deleted}.", as_json)


@click.command()
@click.confirmation_option(prompt="Shall this database and this store belong together from now on?")
@json_option
def adopt(as_json: bool) -> None:
    """Bind this database and this store to each other, after one of them was restored or moved.

    Any database or store that either belonged to before loses it. Objects without a record in this database become
    orphans, which 'dossier sweep --yes' deletes.
    """

    async def run(service: Service) -> Deployment:
        # The store may be new.
        await service.ports.storage.prepare()
        return await service.use_cases.adopt_store()

    made = with_service(run)
    say({"id": made.id}, f"The database and the store are now deployment {made.id}.", as_json)


@contextmanager
def _progress_line() -> Iterator[Callable[[SweepReport], None]]:
    """Show the progress of a sweep in one line of the terminal, at most once a second. Show nothing in a pipe."""
    is_terminal, shown = sys.stderr.isatty(), 0.0

    def show(swept: SweepReport) -> None:
        nonlocal shown
        if is_terminal and time.monotonic() - shown >= 1:
            shown = time.monotonic()
            click.echo(f"{_CLEAR}{_count(swept)}, {swept.deleted} deleted", nl=False, err=True)

    try:
        yield show
    finally:
        if shown:
            click.echo(_CLEAR, nl=False, err=True)


def _count(swept: SweepReport) -> str:
    return (
        f"{swept.objects} objects: {swept.unrecorded} unrecorded for a day ({swept.unrecorded_bytes} bytes), "
        f"{swept.issued} of them uploaded through Dossier, {swept.late} late, {swept.foreign} foreign"
    )
