"""How the service is, and what is used of it."""

from typing import Literal

from msgspec import Struct

from adapters.http.wire.members import Count, SizeBytes
from ports.queries import Usage


class UsageReport(Struct):
    """What a workspace uses of what it may: sizes in bytes."""

    used_bytes: SizeBytes
    quota_bytes: SizeBytes
    documents: Count

    @classmethod
    def of(cls, usage: Usage) -> "UsageReport":
        return cls(used_bytes=usage.used_bytes, quota_bytes=usage.quota_bytes, documents=usage.documents)


class Health(Struct):
    """How the service is; `checks` names each dependency, `ok` or `unavailable`."""

    status: Literal["live", "ready", "degraded"]
    checks: dict[str, str]
