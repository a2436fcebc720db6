"""The OpenAPI 3.1 document: what it says beyond the route tables, and the code that assembles it.

`operations/` describes each operation by its `operationId`. `openapi.py` combines those descriptions with the routes.
"""
