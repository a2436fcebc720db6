"""The server:

`dossier serve`, its worker processes, and its HTTP/1.1 protocol, which uvicorn runs. `app.main` builds the application
that the server calls.
"""
