"""The command line, `dossier`: one module per family of commands.

A command reads its options, calls a use case or port, and prints text or JSON.
"""
