"""The adapters: one package per technology, each of which implements or drives ports.

No adapter imports another one; only `app` imports them all.
"""
