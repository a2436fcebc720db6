"""The background jobs of a server. `app.wiring` starts them; every server process runs them.

A job decides when to act; it calls a use case or a port.
"""
