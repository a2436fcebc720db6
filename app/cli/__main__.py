"""`python -m app.cli` runs the command line where `dossier` is not installed."""

from app.cli.entry import main

main()
