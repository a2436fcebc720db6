"""The log of refused API keys."""

import logging

import pytest

from adapters.http.refused_api_keys import NETWORKS_MAX, RefusedApiKeysLog
from tests.clock import StillClock
from tests.http.conftest import Api


def test_a_refused_api_key_is_logged_once_a_minute_for_each_network(caplog: pytest.LogCaptureFixture) -> None:
    refused, clock = RefusedApiKeysLog(), StillClock()
    for seconds in (0, 59, 1, 59):
        clock.advance(seconds=seconds)
        for network in ("192.0.2.1", "192.0.2.1", "2001:db8::/64"):
            refused.note(network, clock())
    assert [message.split(";")[0] for message in caplog.messages] == [
        f"a wrong API key was refused from {network}" for network in ("192.0.2.1", "2001:db8::/64") * 2
    ]


def test_a_guesser_with_many_networks_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    refused, clock = RefusedApiKeysLog(), StillClock()
    for number in range(2 * NETWORKS_MAX):
        refused.note(f"network {number}", clock())
    assert len(caplog.messages) == NETWORKS_MAX


async def test_a_wrong_api_key_is_logged_without_its_text(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await api.http.get("/v1/documents", headers={"Authorization": "Bearer wbk_wrong"})
        await api.http.get("/v1/documents", headers={"Authorization": ""})
    assert len([message for message in caplog.messages if "wrong API key" in message]) == 1
    assert "wbk_" not in caplog.text
