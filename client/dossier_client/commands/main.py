"""The command `dossier` of an installation without the server."""

import sys

import click

from dossier_client.commands import COMMANDS
from dossier_client.errors import DossierError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dossier-client")
def dossier() -> None:
    """Upload, find and download the documents of a Dossier deployment."""


for command in COMMANDS:
    dossier.add_command(command)


def main() -> None:
    """Run the command line. An expected failure is one sentence, with exit code 1; wrong usage has exit code 2."""
    try:
        dossier()
    except DossierError as error:
        sys.exit(f"Error: {error}")
