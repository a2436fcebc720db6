"""The description of the probes."""

from adapters.http.description.described import Described, Section
from adapters.http.wire.envelope import Envelope
from adapters.http.wire.operations import Health

HEALTH = Section(
    "Operations",
    "Probes for operators. They need no API key.",
    {
        "live": Described(summary="Whether the process runs", success=Envelope[Health]),
        "ready": Described(summary="Whether requests can be answered", success=Envelope[Health]),
    },
)
