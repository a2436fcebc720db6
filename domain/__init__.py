"""The rules and values of Dossier: documents, paths, access, refusals; the operations are in `use_cases/`.

The package uses only the standard library: no I/O, clock, randomness or third-party library, and it does not depend on
HTTP.
"""
