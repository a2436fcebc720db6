"""The API: HTTP on Litestar, with one use case for each operation.

`asgi.py` builds the application. A module of operations begins with its table of routes. `wire/` defines the bodies and
queries, and `description/` the other parts of the OpenAPI document.
"""
