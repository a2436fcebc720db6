"""The entry point of `dossier`: it imports only what the command needs."""

import sys

from dossier_client.commands import COMMANDS
from dossier_client.commands.main import main as run_for_people


def main() -> None:
    """Run the command line.

    To import the server takes a second of processor time, which the commands for people do not need.
    """
    if sys.argv[1:2] and sys.argv[1] in {command.name for command in COMMANDS}:
        run_for_people()
    else:
        from app.cli.command import main as run

        run()
