"""`dossier ls` and `dossier find`: which documents there are."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import click

from dossier_client.client import Client
from dossier_client.commands.connection import connected
from dossier_client.commands.report import json_option, printable
from dossier_client.models import Document, Folder


@click.command()
@click.argument("folder", default="/")
@json_option
def ls(folder: str, as_json: bool) -> None:
    """List the folders and the documents of a folder; of the top by default."""
    with connected() as client:
        for below in _folders(client, None if folder == "/" else folder):
            if as_json:
                click.echo(json.dumps({"folder": below.folder, "documents": below.documents}))
            else:
                click.echo(f"{'':30}  {below.documents:>13,}  {'documents':16}  {printable(below.folder)}/")
        _print(client.walk(folder=folder, recursive=False), as_json=as_json, show=lambda document: document.name)


@click.command()
@click.argument("words", nargs=-1)
@click.option("--folder", help="Only in this folder and below it.")
@click.option("--tag", "tags", multiple=True, help="Only with this tag; repeat it to require several.")
@click.option("--type", "mime_type", help="Only of this media type.")
@click.option(
    "--after", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]), help="Recorded at this time or later."
)
@click.option("--before", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]), help="Recorded earlier.")
@click.option("--sha256", help="Whose file has this SHA-256.")
@json_option
def find(
    words: Sequence[str],
    folder: str | None,
    tags: Sequence[str],
    mime_type: str | None,
    after: datetime | None,
    before: datetime | None,
    sha256: str | None,
    as_json: bool,
) -> None:
    """Find documents whose name or description contains all WORDS, newest first. Times without a zone are in UTC."""
    with connected() as client:
        found = client.walk(
            search=" ".join(words) or None,
            folder=folder,
            tags=tags,
            mime_type=mime_type,
            created_after=_utc(after),
            created_before=_utc(before),
            sha256=sha256,
        )
        _print(found, as_json=as_json, show=_path)


def _utc(time: datetime | None) -> datetime | None:
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def _path(document: Document) -> str:
    return f"{document.folder or ''}/{document.name}"


def _folders(client: Client, parent: str | None) -> Iterable[Folder]:
    page = 1
    while rows := client.folders(parent=parent, page=page):
        yield from rows
        page += 1


def _print(documents: Iterable[Document], *, as_json: bool, show: Callable[[Document], str]) -> None:
    for document in documents:
        if as_json:
            shown = {name: value for name, value in dataclasses.asdict(document).items() if value is not None}
            click.echo(json.dumps(shown, default=str))
        else:
            recorded = f"{document.created_at:%Y-%m-%d %H:%M}"
            click.echo(f"{document.id}  {document.size_bytes:>13,}  {recorded}  {printable(show(document))}")
