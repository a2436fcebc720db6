"""The ceiling: the rate of Postgres when pgbench sends the same facts, one transaction at a time.

Three scripts share these variables: `workspace`, a UUID; `facts`, a document as JSON; `first`, a number above those of
all earlier runs; `n`, 0. Each transaction records the document of a new number, k.
"""
