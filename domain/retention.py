"""How long Dossier keeps what no request needs any more."""

from datetime import timedelta

EVENTS_KEPT = timedelta(days=365)
"""The usual time for which events are kept. The operator may choose another one."""

UNUSED_PATHS_KEPT = timedelta(days=30)
"""The time after which a path that was issued, and never recorded, is forgotten.

Until then, an upload that arrives late is recognised and deleted. It began with a signed URL, which is valid for 15
minutes, so after this time none can still be under way: 5 GiB at 2 KiB a second take 30 days.
"""
