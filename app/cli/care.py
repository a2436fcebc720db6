"""The commands that look after a deployment: its schema, its health, its store."""

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
    """Bring the database to the schema of this version. Safe to run at any time, from many places at once."""

    async def run() -> None:
        async with database_url(settings()) as url:
            await run_migrations(url)

    asyncio.run(run())
    say({"migrated": True}, "The database has the schema of this version.", as_json)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Examine the deployment: settings, database, storage. Ends with 1 when something is wrong."""
    try:
        findings = asyncio.run(run_checks(settings()))
    except SettingsError as error:
        findings = [CheckResult("settings", Grade.FAILED, str(error))]
    healthy = all(finding.grade is not Grade.FAILED for finding in findings)
    checks = [
        {
            "check": finding.check,
            "ok": finding.grade is not Grade.FAILED,
            "grade": finding.grade,
            "found": finding.found,
        }
        for finding in findings
    ]
    signs = {Grade.OK: "ok  ", Grade.DEGRADED: "note", Grade.FAILED: "FAIL"}
    lines = [f"{signs[finding.grade]}  {finding.check}: {finding.found}" for finding in findings]
    say({"ok": healthy, "checks": checks}, "\n".join(lines), as_json)
    sys.exit(0 if healthy else 1)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only look, and say what would be deleted.")
@click.option("--yes", is_flag=True, help="Delete even much: more than 5 % of all objects, or than 1,000.")
@json_option
def sweep(dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete bytes that belong to no document. A running server does it by itself, but for what needs --yes.

    Bytes of deleted documents, uploads that were not recorded within a day or never finished, and expired receipts.
    Only below the prefixes of this database's workspaces.
    """

    async def run(service: Service) -> SweepReport:
        await service.use_cases.claim_storage()
        with _shown_to_who_watches() as tell:
            return await service.use_cases.sweep(dry_run=dry_run, yes=yes, on_progress=tell)

    swept = with_service(run)
    if swept.inherited and not yes:
        click.echo(
            f"{swept.inherited} of the unrecorded lay there before the store was this database's; to delete them takes "
            "--yes.",
            err=True,
        )
    if swept.exceeds_safety_limit and dry_run:
        click.echo("That is much: to delete any of the unrecorded takes --yes.", err=True)
    if swept.held:
        click.echo(f"The store holds on to the bytes at {swept.held} paths; they are tried again.", err=True)
    deleted = (
        f"Would delete what is unrecorded or late, and look at {swept.condemned} condemned paths"
        if dry_run
        else f"Deleted the bytes at {swept.deleted} paths, {swept.unfinished} unfinished uploads and "
        f"{swept.receipts} expired receipts"
    )
    say(asdict(swept) | {"dry_run": dry_run}, f"{_count(swept)}\n{deleted}.", as_json)


@click.command()
@click.confirmation_option(prompt="Shall this database and this store belong together from now on?")
@json_option
def adopt(as_json: bool) -> None:
    """Let this database and this store belong together: after a restore, or a move of either.

    Whatever they belonged to before loses them. Bytes that this database has no record of will be swept.
    """

    async def run(service: Service) -> Deployment:
        # It may be a new one.
        await service.ports.storage.prepare()
        return await service.use_cases.adopt_storage()

    made = with_service(run)
    say({"id": made.id}, f"The database and the store are deployment {made.id} now.", as_json)


@contextmanager
def _shown_to_who_watches() -> Iterator[Callable[[SweepReport], None]]:
    """How far a sweep is, in one line of a terminal, once a second."""
    is_watched, shown = sys.stderr.isatty(), 0.0

    def tell(swept: SweepReport) -> None:
        nonlocal shown
        if is_watched and time.monotonic() - shown >= 1:
            shown = time.monotonic()
            click.echo(f"{_CLEAR}{_count(swept)}, {swept.deleted} deleted", nl=False, err=True)

    try:
        yield tell
    finally:
        if shown:
            click.echo(_CLEAR, nl=False, err=True)


def _count(swept: SweepReport) -> str:
    return (
        f"{swept.objects} objects: {swept.unrecorded} unrecorded for a day ({swept.unrecorded_bytes} bytes), "
        f"{swept.late} late, {swept.foreign} foreign"
    )
