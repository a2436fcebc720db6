"""Workspaces, API keys and documents in Postgres.

Piccolo runs the migrations and builds rare queries. Frequent requests use our own statements and functions (`sql/`)."""
