"""The checks of a bucket that `dossier doctor` reports.

Each check tests the store with temporary objects. `serve` runs the essential checks at each start. `suite.py` lists all
checks.
"""
