"""The rules and values of Dossier: documents, paths, access, refusals; the operations are in `use_cases/`.

Standard library only: no I/O, no clock, no randomness, no vendor, and no word of HTTP.
"""
