"""Everything about running uvicorn: `dossier serve`, its worker processes, and its HTTP/1.1 protocol.

The application itself is made in `app.main`; this package only serves it.
"""
