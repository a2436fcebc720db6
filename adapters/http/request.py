"""Access to the caller, the use cases and the ports from the request of a handler."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection

from adapters.http.in_flight import in_flight_of
from adapters.http.site import Site
from domain.access import Caller
from domain.errors import InvalidKey
from domain.use_cases import UseCases
from ports import Ports

AnyRequest = Request[Any, Any, Any]


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Return the caller of the request: the owner of its API key.

    Raises:
        InvalidKey: the request has no valid API key.
    """
    caller = in_flight_of(connection.scope).caller
    if caller is None:
        raise InvalidKey
    return caller


# The use cases and the ports are in the state of the Litestar application, because dependency injection of both would
# cost 90 µs for each request. Reading the state by subscript takes 0.13 µs, by attribute 1.8 µs.
def use_cases_of(request: AnyRequest) -> UseCases:
    """Return the use cases that the application was built from."""
    use_cases: UseCases = request.app.state["use_cases"]
    return use_cases


def site_of(request: AnyRequest) -> Site:
    """Return the address at which clients reach the application."""
    site: Site = request.app.state["site"]
    return site


def ports_of(request: AnyRequest) -> Ports:
    """Return the ports that the application was built from."""
    ports: Ports = request.app.state["ports"]
    return ports
