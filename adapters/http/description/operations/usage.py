"""The description of the operation on usage."""

from adapters.http.description.described import Described, Section
from adapters.http.wire.envelope import Envelope
from adapters.http.wire.operations import UsageReport

USAGE = Section(
    "Usage",
    "The storage that a workspace uses, and its quota.",
    {"get_usage": Described(summary="Read what is used of the quota", success=Envelope[UsageReport])},
)
