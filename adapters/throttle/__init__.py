"""A `RateLimiter` for several processes. It counts requests in Valkey or Redis; if the server does not respond, it
counts in this process.

`limiter.py` combines requests into calls and handles outages; `counters.py` has the script that counts.
"""
