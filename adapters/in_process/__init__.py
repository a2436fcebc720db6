"""Adapters that need nothing outside this process: clock, ids, sealing, metrics, and what is kept of API keys.

They ship with every deployment, unlike `adapters/memory/`, which replaces whole databases and stores.
"""
