"""The background jobs of a server. `app.wiring` starts them; every server process runs them.

A job decides when something is done. What is done is a use case or a port.
"""
