"""The batching of creates. Creates of one workspace that wait at the same time share one database call, and so one
commit.

`lane.py` decides which creates share a call, `retry.py` decides which calls are repeated and when, and `batched.py`
runs both.
"""
