"""The start of the program: it reads the settings, opens every backend, and runs the server or a command.

Only this package imports every adapter, and only tests import this package.
"""
