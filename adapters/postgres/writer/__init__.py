"""Writes of one kind and workspace that wait at the same time share one database call, and so one commit.

`lane.py` decides which writes go together, `retry.py` what is retried and when, and `batched.py` drives both.
"""
