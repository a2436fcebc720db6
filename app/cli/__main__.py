"""`python -m app.cli`, where the command is not installed."""

from app.cli.command import main

main()
