"""The health of the service, and the usage of a workspace."""

from typing import Literal

from msgspec import Struct

from adapters.http.wire.members import Count, SizeBytes
from ports.queries import Usage

DependencyState = Literal["ok", "unavailable"]


class UsageReport(Struct):
    """The usage and the quota of a workspace. Sizes are in bytes."""

    used_bytes: SizeBytes
    quota_bytes: SizeBytes
    documents: Count

    @classmethod
    def of(cls, usage: Usage) -> "UsageReport":
        return cls(
            used_bytes=usage.used_bytes,
            quota_bytes=usage.quota_bytes,
            documents=usage.documents,
        )


class Health(Struct):
    """The health of the service. `checks` says `ok` or `unavailable` for each dependency."""

    status: Literal["live", "ready", "degraded"]
    checks: dict[str, DependencyState]
