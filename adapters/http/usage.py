"""The operation that reports the workspace's usage."""

from collections.abc import Sequence

from adapters.http.answer import Answer, json_answer
from adapters.http.operation import Operation
from adapters.http.request import AnyRequest, caller_of, use_cases_of
from adapters.http.sent import read_sent
from adapters.http.wire.envelope import Envelope
from adapters.http.wire.operations import UsageReport
from domain.use_cases.get_usage import GetUsage


def routes() -> Sequence[Operation]:
    """Return the operation on usage."""
    return [Operation("GET", "/v1/usage", get_usage, GetUsage)]


async def get_usage(request: AnyRequest) -> Answer:
    await read_sent(request)
    return json_answer(Envelope(UsageReport.of(await use_cases_of(request).get_usage(caller_of(request)))))
