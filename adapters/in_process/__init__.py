"""Adapters that need nothing outside this process, such as the clock, ids, encryption, metrics and caches of API keys.

Every deployment uses them. By contrast, `adapters/memory/` replaces databases and object stores, mostly in tests.
"""
