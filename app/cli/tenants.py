"""The commands that create, change and list workspaces and their API keys."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from app.cli.shared import json_option, say, settings, with_service
from app.wiring import Service
from domain.access import ApiKey, Permission, Workspace
from domain.errors import Invalid
from domain.ids import parse_api_key_id, parse_workspace_id
from domain.rate_limits import Plan, Tier

_QUOTA = re.compile(r"(?P<number>\d{1,19})\s*(?:(?P<prefix>[KMGTP])(?P<binary>I?)B|B?)", re.IGNORECASE | re.ASCII)


class Quota(click.ParamType[int]):
    """A number of bytes, with or without a unit: GB is 10^9, GiB is 2^30."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _QUOTA.fullmatch(value.strip())
        if match is None:
            self.fail(
                f"{value!r} is not a size; give bytes, or a number with a unit, such as 10GB or 512MiB", param, ctx
            )
        unit = 1024 if match["binary"] else 1000
        power = " KMGTP".index(match["prefix"].upper()) if match["prefix"] else 0
        return int(match["number"]) * int(unit**power)


class Timestamp(click.ParamType[datetime]):
    """A time in ISO 8601. Without an offset, it is in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            timestamp = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time; give one such as 2027-01-31T12:00:00Z", param, ctx)
        try:
            return timestamp.astimezone(UTC) if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
        except OverflowError:
            self.fail(f"{value!r} is out of range; give a time between the years 1 and 9999", param, ctx)


def _choice(kind: type[Plan] | type[Tier] | type[Permission]) -> click.Choice[str]:
    return click.Choice([member.value for member in kind])


@click.group()
def workspace() -> None:
    """Create, change and list workspaces."""


@workspace.command("create")
@click.argument("name")
@click.option("--plan", type=_choice(Plan), default=Plan.ORG.value, show_default=True, help="Its rate limits.")
@click.option("--quota", type=Quota(), default="10GB", show_default=True, help="Its storage quota.")
@json_option
def create_workspace(name: str, plan: str, quota: int, as_json: bool) -> None:
    """Create a workspace, and the user who owns it."""
    made = with_service(lambda service: service.use_cases.create_workspace(name, Plan(plan), quota))
    limits = " and ".join(f"{window.limit:,} requests per {window.unit}" for window in settings().plans[made.plan])
    text = f"Created workspace {made.id}, owned by {made.owner_id}. Plan {made.plan}: {limits} for all its API keys."
    say(_workspace_facts(made), text, as_json)


@workspace.command("update")
@click.argument("id_", metavar="ID")
@click.option("--plan", type=_choice(Plan), help="Its new rate limits.")
@click.option("--quota", type=Quota(), help="Its new storage quota.")
@json_option
def update_workspace(id_: str, plan: str | None, quota: int | None, as_json: bool) -> None:
    """Change the plan or the quota of a workspace. A running server applies the change within a second."""
    if plan is None and quota is None:
        raise click.UsageError("Say what to change: --plan, --quota or both.")

    changed = with_service(
        lambda service: service.use_cases.update_workspace(id_, plan=Plan(plan) if plan else None, quota_bytes=quota)
    )
    say(_workspace_facts(changed), f"Changed workspace {changed.id}.", as_json)


@workspace.command("list")
@json_option
def list_workspaces(as_json: bool) -> None:
    """List all workspaces, oldest first."""

    async def read(service: Service) -> list[Workspace]:
        return [item async for page in service.ports.workspaces.pages() for item in page]

    found = with_service(read)
    lines = [f"{item.id}  {item.plan:7}  {item.quota_bytes:>16}  {item.name}" for item in found]
    text = "\n".join(lines) or f"No workspaces; the data directory is {settings().data_dir}."
    say({"workspaces": [_workspace_facts(item) for item in found]}, text, as_json)


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command("create")
@click.option("--workspace", "workspace_", required=True, metavar="ID", help="The workspace of the API key.")
@click.option("--name", required=True, help="A name, unique among active API keys.")
@click.option(
    "--permission",
    "granted",
    required=True,
    multiple=True,
    type=_choice(Permission),
    help="A permission; repeat the option for several.",
)
@click.option("--user", metavar="ID", help="The user it acts as; by default the workspace's owner.")
@click.option("--tier", type=_choice(Tier), default=Tier.STANDARD.value, show_default=True, help="Its rate limits.")
@click.option("--expires-at", type=Timestamp(), help="When it expires; by default never.")
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
    """Create an API key. It is shown only once."""
    minted = with_service(
        lambda service: service.use_cases.mint_api_key(
            workspace=workspace_, name=name, granted=granted, user=user, tier=Tier(tier), expires_at=expires_at
        )
    )
    facts = _key_facts(minted.key)
    del facts["revoked_at"], facts["last_used_at"]
    text = f"Created API key {minted.key.id}. Keep it: it is shown only once.\n{minted.secret}"
    say({"id": minted.key.id, "key": minted.secret} | facts, text, as_json)


@keys.command("list")
@click.option("--workspace", "workspace_", metavar="ID", help="Only the API keys of this workspace.")
@json_option
def list_keys(workspace_: str | None, as_json: bool) -> None:
    """List all API keys by workspace, the oldest first, without the keys themselves."""
    of = None if workspace_ is None else parse_workspace_id(workspace_)
    if workspace_ is not None and of is None:
        raise Invalid({"workspace": "is not the id of a workspace; list them with 'dossier workspace list'"})

    async def read(service: Service) -> Sequence[ApiKey]:
        if of is not None:
            return await service.ports.api_keys.all(of)
        return [key async for page in service.ports.api_keys.pages() for key in page]

    found = with_service(read)
    now = datetime.now(UTC)
    lines = [
        f"{key.id}  {key.workspace_id}  {key.prefix}…  {'active' if key.is_active(now) else 'ended '}  {key.name}"
        for key in found
    ]
    text = "\n".join(lines) or f"No keys; the data directory is {settings().data_dir}."
    say({"keys": [_key_facts(key) for key in found]}, text, as_json)


@keys.command("revoke")
@click.argument("id_", metavar="ID")
@json_option
def revoke_key(id_: str, as_json: bool) -> None:
    """Revoke an API key. A running server refuses it within a second."""

    async def revoke(service: Service) -> bool:
        known = parse_api_key_id(id_)
        key = None if known is None else await service.ports.api_keys.get(known)
        if key is None:
            return False
        # No intent is passed, so an operator may also revoke the last API key that can administer API keys.
        await service.ports.api_keys.revoke(key.workspace_id, key.id, service.ports.now(), None)
        return True

    if not with_service(revoke):
        raise click.ClickException(f"There is no API key {id_}; 'dossier keys list' shows all.")
    say({"id": id_, "revoked": True}, f"Revoked API key {id_}.", as_json)


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
        "description": key.description,
        "prefix": key.prefix,
        "permissions": sorted(key.permissions),
        "tier": key.tier,
        "created_at": _time(key.created_at),
        "expires_at": _time(key.expires_at),
        "revoked_at": _time(key.revoked_at),
        "last_used_at": _time(key.last_used_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
