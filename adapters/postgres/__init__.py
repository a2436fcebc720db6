"""Workspaces, API keys and documents in Postgres.

Piccolo runs the migrations and builds queries that are rarely used. All other queries are our own statements and
functions (`sql/`)."""
