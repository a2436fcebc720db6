"""Workspaces, keys and documents in Postgres: Piccolo for the schema's history and for what is read rarely,
statements of ours for the paths that every request takes."""
