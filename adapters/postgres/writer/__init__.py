"""Writes of one kind that wait at the same time share one database call, and so one commit.

`lane.py` decides which writes go together, by the estimates of `cost.py`; `retry.py` decides what is retried and when.
`batched.py` drives both.
"""
