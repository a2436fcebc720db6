"""The command line: `dossier --help`."""
