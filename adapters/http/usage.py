"""What a workspace uses, over HTTP."""

from litestar import get
from litestar.handlers import HTTPRouteHandler

from adapters.http.answer import Answer, json_answer
from adapters.http.body import AnyRequest
from adapters.http.in_flight import caller_of
from adapters.http.openapi import described
from adapters.http.wire.envelope import Envelope
from adapters.http.wire.operations import UsageReport
from domain.use_cases import UseCases


def usage_handler(use_cases: UseCases) -> HTTPRouteHandler:
    """`/v1/usage`."""
    usage = use_cases.get_usage

    @get(
        "/v1/usage",
        opt=described(
            summary="Read what is used of the quota",
            use_case=type(usage),
            status=200,
            success=Envelope[UsageReport],
            tag="Usage",
        ),
    )
    async def get_usage(request: AnyRequest) -> Answer:
        return json_answer(Envelope(UsageReport.of(await usage(caller_of(request.scope)))))

    return get_usage
