"""`RateLimiter` for several processes: requests are counted in Valkey or Redis while it responds, else in this process.

`limiter.py` combines requests into calls and handles outages; `counters.py` has the script that counts.
"""
