"""The ceiling: what Postgres does when pgbench sends it the same facts, one transaction at a time.

Three scripts with the same variables: `workspace`, a UUID; `facts`, a document as JSON; `first`, above every number of
the runs before; `n`, 0. Each transaction records the document of a new number, k.
"""
