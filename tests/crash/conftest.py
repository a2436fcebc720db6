"""A Postgres with full durability for the tests that do not kill it, and the logs of the servers of a failed test."""

from collections.abc import AsyncIterator, Generator

import pytest

from .deployment import Deployment, open_deployment
from .fleet import Fleet
from .proxy import Proxy, open_proxy


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        fleets = [value for value in item.funcargs.values() if isinstance(value, Fleet)]
        report.sections += [("Log of a server", log) for fleet in fleets for log in fleet.said()]
    return report


@pytest.fixture(scope="session")
async def deployment() -> AsyncIterator[Deployment]:
    async with open_deployment() as opened:
        yield opened


@pytest.fixture(scope="module")
async def proxy(deployment: Deployment) -> AsyncIterator[Proxy]:
    """A proxy of the Postgres, without faults until a test plans some."""
    async with open_proxy(deployment.socket) as proxy:
        yield proxy
