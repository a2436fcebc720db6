"""The command line, `dossier`, with one module for each group of commands.

A command reads its options, calls a use case or port, and prints text or JSON.
"""
