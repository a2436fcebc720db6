"""How migrations run: beside servers that answer requests, and so that the next `migrate` completes a killed one.

`migrations/__init__.py` explains how to write a migration.
"""
