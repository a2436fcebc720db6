"""The API: HTTP on Litestar, with one use case for each operation.

`asgi.py` builds the application. A module of operations begins with its table of routes; `description/` adds what the
OpenAPI document says beyond the routes, and `wire/` defines the bodies and queries.
"""
