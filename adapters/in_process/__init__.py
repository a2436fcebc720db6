"""Ports that need nothing outside this process: the clock, ids, sealing, metrics, the cache of API keys."""
