"""The checks of a bucket that `dossier doctor` reports: each one tests the store on objects of its own.

`serve` runs the essential ones at each start. `suite.py` lists them all.
"""
