"""The composition root: it reads the settings, opens every backend and runs the server or a command.

It is the only package that knows every adapter. Only tests import it.
"""
