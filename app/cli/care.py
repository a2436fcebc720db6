"""The commands that maintain a deployment: migrate, doctor, sweep, adopt, rotate-secret."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click

from adapters.postgres.migrate import migrate as run_migrations
from adapters.postgres.suitable import check_server
from adapters.secret.derived import DerivedKeys
from adapters.secret.file import replace_secret
from app.cli.shared import json_option, say, settings, with_service
from app.doctor import run_checks
from app.settings import SettingsError
from app.wiring import Service, database_url, open_secret, secret_file
from domain.use_cases.compare_store import StoreComparison
from domain.use_cases.sweep_report import SweepReport
from domain.wording import counted
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
            results = await check_server(url)
        for result in results:
            if result.grade is not Grade.OK:
                click.echo(f"Warning: {result.check}: {result.found}", err=True)

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

    This deletes the objects of deleted documents, uploads that were not recorded within a day or never finished, empty
    folders, expired receipts, old events and paths that were never used. Only objects of this database's workspaces are
    deleted.
    """

    async def run(service: Service) -> SweepReport:
        await service.use_cases.claim_store()
        with _progress_line() as show:
            return await service.use_cases.sweep(
                dry_run=dry_run, yes=yes, on_progress=lambda swept: show(f"{_count(swept)}, {swept.deleted} deleted")
            )

    swept = with_service(run)
    if swept.inherited and not yes:
        click.echo(
            f"{counted(swept.inherited, 'object')} without a record from before this database's claim on the store; "
            "run 'dossier sweep --yes' to delete them.",
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
            f"The store refused to delete the objects at {counted(swept.held, 'path')}; the next complete sweep tries "
            "again.",
            err=True,
        )
    deleted = (
        f"Would delete the unrecorded and late objects, the objects at {counted(swept.condemned, 'condemned path')}, "
        f"and {counted(swept.other_versions, 'version')} beside recorded ones"
        if dry_run
        else f"Deleted the objects at {counted(swept.deleted, 'path')}, "
        f"{counted(swept.other_versions, 'version')} beside recorded ones, "
        f"{counted(swept.unfinished, 'unfinished upload')}, {counted(swept.folders, 'empty folder')}, "
        f"{counted(swept.receipts, 'expired receipt')}, {counted(swept.events, 'old event')} and "
        f"{counted(swept.unused_paths, 'unused path')}"
    )
    say(asdict(swept) | {"dry_run": dry_run}, f"{_count(swept)}\n{deleted}.", as_json)


@click.command()
@click.option(
    "--dry-run",
    is_flag=True,
    help="Change nothing; only list what the database and the store do not know of each other.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def adopt(dry_run: bool, yes: bool, as_json: bool) -> None:
    """Bind this database and this store to each other, after one of them was restored or moved.

    This command first lists all objects, and reports those that the database does not know, and how many documents have
    no object. Then it asks. The adoption gives both a new id, so another database that used this store before can no
    longer use it. It deletes nothing and records nothing: objects without a record stay until 'dossier sweep --yes'
    deletes them.
    """

    async def run(service: Service) -> tuple[StoreComparison, Deployment | None]:
        if not dry_run:
            # The store may be new, so its directories may not exist yet.
            await service.ports.storage.prepare()
        with _progress_line() as show:
            compared = await service.use_cases.compare_store(lambda found: show(f"{found.objects} objects"))
        if not as_json:
            click.echo(_compared(compared))
        if dry_run or not (yes or await asyncio.to_thread(_is_confirmed)):
            return compared, None
        return compared, await service.use_cases.adopt_store()

    compared, made = with_service(run)
    facts = {"adopted": made is not None, "id": made.id if made else None, **asdict(compared)}
    say(facts, f"The database and the store are now deployment {made.id}." if made else "Nothing was changed.", as_json)
    if made is None and not dry_run:
        sys.exit(1)


def _is_confirmed() -> bool:
    # On standard error, because standard output may be JSON.
    return click.confirm("Shall this database and this store belong together from now on?", err=True)


def _compared(found: StoreComparison) -> str:
    lines = [f"The store holds {found.objects} objects in the workspaces of this database."]
    if found.unknown:
        lines += [
            f"The database knows nothing of {found.unknown} of them ({found.unknown_bytes} bytes). They are documents "
            "whose records are lost, or uploads that were never recorded:",
            *(f"  {key}" for key in found.examples),
            *(["  …"] if found.unknown > len(found.examples) else []),
        ]
    if found.missing:
        lines.append(f"{found.missing} documents have no object: they cannot be downloaded.")
    if not (found.unknown or found.missing):
        lines.append("Database and store know the same objects.")
    return "\n".join(lines)


_ROTATION = """\
Stop all servers first. After the rotation:
- Signed URLs of the directory store that were handed out before are refused (403 link_expired).
- Requests that were done before are not recognised when they are sent again. Nothing is recorded twice: a create gets
  409 storage_conflict or duplicate_name, a delete gets 404, an entity link gets 200 with the existing one. A change
  of a document without If-Match is applied again.
- A new API key whose response was lost cannot be shown again: revoke it, and create another one.
Shall the database know the new secret from now on?"""


@click.command("rotate-secret")
@click.confirmation_option(prompt=_ROTATION)
@json_option
def rotate_secret(as_json: bool) -> None:
    """Replace the secret, or let the database know the present one. Stop all servers first.

    With DOSSIER_SECRET, set it to the new secret before. Otherwise this command writes a new one into the data
    directory. Signed URLs of the former secret, and retries of requests from before, are not recognised any more.
    """
    configured = settings()

    async def run(service: Service) -> None:
        check = DerivedKeys.of(open_secret(configured)).check
        if check == (await service.ports.deployments.read()).secret_check:
            if configured.secret is not None:
                raise click.ClickException(
                    "DOSSIER_SECRET is the secret that the database knows already; set it to the new one, and try again"
                )
            check = DerivedKeys.of(replace_secret(secret_file(configured))).check
        await service.ports.deployments.record_secret(check, replace=True)

    with_service(run)
    say({"rotated": True}, "The database knows the new secret. Start the servers with it.", as_json)


@contextmanager
def _progress_line() -> Iterator[Callable[[str], None]]:
    """Show the progress in one line of the terminal, at most once a second. Show nothing in a pipe."""
    is_terminal, shown = sys.stderr.isatty(), 0.0

    def show(text: str) -> None:
        nonlocal shown
        if is_terminal and time.monotonic() - shown >= 1:
            shown = time.monotonic()
            click.echo(f"{_CLEAR}{text}", nl=False, err=True)

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
