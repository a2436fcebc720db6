"""Adapters that need nothing outside this process: clock, ids, sealing, metrics, and caches of API keys and their uses.

They ship with every deployment, unlike `adapters/memory/`, which replaces whole databases and stores.
"""
