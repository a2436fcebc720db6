"""The cost of admission: the same requests with and without authentication and rate limiting."""
