"""The OpenAPI 3.1 document: the descriptions that the route tables do not contain, and the code that assembles both.

`operations/` describes each operation by its `operationId`. `openapi.py` combines those descriptions with the routes.
"""
