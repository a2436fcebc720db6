"""`dossier rm` and `dossier link`: changes of single documents."""

import sys
from collections.abc import Sequence

import click

from dossier_client.commands.connection import connected
from dossier_client.commands.entity import Entity
from dossier_client.errors import NotFound


@click.command()
@click.argument("document_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--hard", is_flag=True, help="Delete the files before the command ends, not within the hour.")
def rm(document_ids: Sequence[str], hard: bool) -> None:
    """Delete documents."""
    missing = 0
    with connected() as client:
        for document_id in document_ids:
            try:
                client.delete(document_id, hard=hard)
            except NotFound:
                missing += 1
                click.echo(f"{document_id}: there is no such document", err=True)
    sys.exit(1 if missing else 0)


@click.command()
@click.argument("document_id", metavar="ID")
@click.argument("entity", type=Entity(), metavar="TYPE:ID")
@click.option("--role", help="What the document is for the entity, such as: signed agreement.")
def link(document_id: str, entity: tuple[str, str], role: str | None) -> None:
    """Link a document to an entity, such as matter:M-2026/17."""
    with connected() as client:
        click.echo(client.link(document_id, *entity, role=role).link_id)
