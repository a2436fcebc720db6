"""The subcommands of `dossier`, and their exit codes. `entry.py` runs those for people without this module."""

import os
import sys

import click

from app.cli.care import adopt, doctor, migrate, rotate_secret, sweep
from app.cli.tenants import keys, workspace
from app.server.serve import run_server
from app.settings import SettingsError
from app.wiring import NotMigrated
from domain.errors import Refusal
from domain.use_cases.generations import ForeignStore, TaskTaken
from domain.use_cases.sweep import TooManyOrphans
from domain.use_cases.verify_secret import OtherSecret
from dossier_client.commands import COMMANDS
from ports.system import Unavailable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dossier")
def dossier() -> None:
    """A self-hosted document-record service. Settings are environment variables; docs/operations.md lists them."""


@dossier.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Answer requests until Ctrl-C or SIGTERM. On an empty data directory, create a workspace and an API key first."""
    run_server(host, port, workers)


for command in (migrate, doctor, sweep, adopt, rotate_secret, workspace, keys, *COMMANDS):
    dossier.add_command(command)


def main() -> None:
    """Run the command line. An expected failure is one sentence, with exit code 1; wrong usage has exit code 2."""
    # Every file that the server makes is for its own user only. People, whose commands `entry.py` runs, have their own
    # umask.
    os.umask(0o077)
    try:
        dossier()
    except SettingsError as error:
        sys.exit(f"The settings are invalid:\n{error}")
    except (Refusal, Unavailable, NotMigrated, OtherSecret, ForeignStore, TaskTaken, TooManyOrphans) as error:
        sys.exit(f"Error: {error}")
