"""The command line: `dossier --help`."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from adapters.postgres.migrate import migrate as run_migrations
from app.container import Backends, NotMigrated, database_url, open_backends
from app.doctor import Finding, examine
from app.serve import run_server
from app.settings import Settings, SettingsError
from domain.access import ApiKey, Permission, Plan, Tier, Workspace
from domain.errors import Invalid, Refusal
from domain.ids import key_id, workspace_id
from ports.system import Unavailable

T = TypeVar("T")

_QUOTA = re.compile(r"(?P<number>\d{1,19})\s*(?:(?P<prefix>[KMGTP])(?P<binary>I?)B|B?)", re.IGNORECASE | re.ASCII)


class Quota(click.ParamType[int]):
    """Bytes, or a number with a unit: GB is 10^9, GiB is 2^30."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _QUOTA.fullmatch(value.strip())
        if match is None:
            self.fail(f"{value!r} is no size; give bytes, or a number with a unit, such as 10GB or 512MiB", param, ctx)
        unit = 1024 if match["binary"] else 1000
        power = " KMGTP".index(match["prefix"].upper()) if match["prefix"] else 0
        return int(match["number"]) * int(unit**power)


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601; without an offset it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; give one such as 2027-01-31T12:00:00Z", param, ctx)
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:
            self.fail(f"{value!r} is too far away", param, ctx)


def _choice(kind: type[Plan] | type[Tier] | type[Permission]) -> click.Choice[str]:
    return click.Choice([member.value for member in kind])


json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on standard output.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dossier")
def dossier() -> None:
    """A self-hosted document-record service. Settings are environment variables; the README lists them."""


@dossier.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
def serve(host: str, port: int) -> None:
    """Answer requests until Ctrl-C or SIGTERM. On an empty data directory, make a workspace and a key first."""
    run_server(host, port)


@dossier.command()
@json_option
def migrate(as_json: bool) -> None:
    """Bring the database to the schema of this version. Safe to run at any time, from many places at once."""

    async def run() -> None:
        async with database_url(_settings()) as url:
            await run_migrations(url)

    asyncio.run(run())
    _say({"migrated": True}, "The database has the schema of this version.", as_json)


@dossier.command()
@json_option
def doctor(as_json: bool) -> None:
    """Examine the deployment: settings, database, storage. Ends with 1 when something is wrong."""
    try:
        findings = asyncio.run(examine(_settings()))
    except SettingsError as error:
        findings = [Finding("settings", ok=False, found=str(error))]
    healthy = all(finding.ok for finding in findings)
    checks = [{"check": finding.check, "ok": finding.ok, "found": finding.found} for finding in findings]
    lines = [f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check}: {finding.found}" for finding in findings]
    _say({"ok": healthy, "checks": checks}, "\n".join(lines), as_json)
    sys.exit(0 if healthy else 1)


@dossier.group()
def workspace() -> None:
    """Make, change and list workspaces."""


@workspace.command("create")
@click.argument("name")
@click.option("--plan", type=_choice(Plan), default=Plan.STARTER.value, show_default=True, help="Its rate limits.")
@click.option("--quota", type=Quota(), default="10GB", show_default=True, help="What it may store.")
@json_option
def create_workspace(name: str, plan: str, quota: int, as_json: bool) -> None:
    """Make a workspace, and the user who owns it."""
    made = _with_backends(lambda backends: backends.create_workspace(name, Plan(plan), quota))
    _say(_workspace_facts(made), f"Made workspace {made.id}, owned by {made.owner_id}.", as_json)


@workspace.command("update")
@click.argument("id_", metavar="ID")
@click.option("--plan", type=_choice(Plan), help="Its rate limits from now on.")
@click.option("--quota", type=Quota(), help="What it may store from now on.")
@json_option
def update_workspace(id_: str, plan: str | None, quota: int | None, as_json: bool) -> None:
    """Change the plan or the quota of a workspace; a server that runs knows within a second."""
    if plan is None and quota is None:
        raise click.UsageError("Say what to change: --plan, --quota or both.")

    changed = _with_backends(
        lambda backends: backends.update_workspace(id_, plan=Plan(plan) if plan else None, quota_bytes=quota)
    )
    _say(_workspace_facts(changed), f"Changed workspace {changed.id}.", as_json)


@workspace.command("list")
@json_option
def list_workspaces(as_json: bool) -> None:
    """Show every workspace, oldest first."""
    found = _with_backends(lambda backends: backends.workspaces.all())
    lines = [f"{item.id}  {item.plan:7}  {item.quota_bytes:>16}  {item.name}" for item in found]
    text = "\n".join(lines) or f"No workspaces; the data directory is {_settings().data_dir}."
    _say({"workspaces": [_workspace_facts(item) for item in found]}, text, as_json)


@dossier.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.option("--workspace", "workspace_", required=True, metavar="ID", help="Whose key it is.")
@click.option("--name", required=True, help="What it is for.")
@click.option(
    "--permission",
    "granted",
    required=True,
    multiple=True,
    type=_choice(Permission),
    help="What it may do; give the option once for each.",
)
@click.option("--user", metavar="ID", help="Who acts with it; the workspace's owner if left out.")
@click.option("--tier", type=_choice(Tier), default=Tier.STANDARD.value, show_default=True, help="Its rate limits.")
@click.option("--expires-at", type=Moment(), help="When it ends; never if left out.")
@json_option
def create_key(
    workspace_: str,
    name: str,
    granted: Sequence[str],
    user: str | None,
    tier: str,
    expires_at: datetime | None,
    as_json: bool,
) -> None:
    """Make an API key. It is shown now and never again."""
    minted = _with_backends(
        lambda backends: backends.mint_key(
            workspace=workspace_, name=name, granted=granted, user=user, tier=Tier(tier), expires_at=expires_at
        )
    )
    facts = _key_facts(minted.key)
    del facts["revoked_at"]
    text = f"Made key {minted.key.id}. Keep it, it is shown only now:\n{minted.secret}"
    _say({"id": minted.key.id, "key": minted.secret} | facts, text, as_json)


@keys.command("list")
@click.option("--workspace", "workspace_", metavar="ID", help="Only those of this workspace.")
@json_option
def list_keys(workspace_: str | None, as_json: bool) -> None:
    """Show every key, oldest first; never the keys themselves."""
    of = None if workspace_ is None else workspace_id(workspace_)
    if workspace_ is not None and of is None:
        raise Invalid({"workspace": "names no workspace"})
    found = _with_backends(lambda backends: backends.keys.all(of))
    now = datetime.now(UTC)
    lines = [
        f"{key.id}  {key.workspace_id}  {key.prefix}…  {'active' if key.is_active(now) else 'ended '}  {key.name}"
        for key in found
    ]
    text = "\n".join(lines) or f"No keys; the data directory is {_settings().data_dir}."
    _say({"keys": [_key_facts(key) for key in found]}, text, as_json)


@keys.command("revoke")
@click.argument("id_", metavar="ID")
@json_option
def revoke_key(id_: str, as_json: bool) -> None:
    """End a key's life; a server that runs knows within a second."""

    async def revoke(backends: Backends) -> bool:
        known = key_id(id_)
        return known is not None and await backends.keys.revoke(known, backends.now())

    if not _with_backends(revoke):
        raise click.ClickException(f"There is no key {id_}; 'dossier keys list' shows all.")
    _say({"id": id_, "revoked": True}, f"Revoked key {id_}.", as_json)


def main() -> None:
    """Run the command line; what goes wrong is said in words, with exit code 1, or 2 for a wrong use."""
    try:
        dossier()
    except SettingsError as error:
        sys.exit(f"The settings are wrong:\n{error}")
    except (Refusal, Unavailable, NotMigrated) as error:
        sys.exit(f"Error: {error}")


def _settings() -> Settings:
    return Settings.read(os.environ)


def _with_backends(act: Callable[[Backends], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_backends(_settings()) as backends:
            return await act(backends)

    return asyncio.run(run())


def _say(facts: dict[str, object], text: str, as_json: bool) -> None:
    click.echo(json.dumps(facts) if as_json else text)


def _workspace_facts(workspace: Workspace) -> dict[str, object]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "owner": workspace.owner_id,
        "plan": workspace.plan,
        "quota_bytes": workspace.quota_bytes,
        "created_at": _time(workspace.created_at),
    }


def _key_facts(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "workspace": key.workspace_id,
        "user": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "permissions": sorted(key.permissions),
        "tier": key.tier,
        "created_at": _time(key.created_at),
        "expires_at": _time(key.expires_at),
        "revoked_at": _time(key.revoked_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main()
