"""The HTTP contract on Litestar: one use case a request, and nothing that a use case should know."""
