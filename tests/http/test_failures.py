"""Failures that a client cannot cause. They reveal no internal detail, and changed objects are not served."""

import logging
from dataclasses import replace
from typing import Never

import pytest

from adapters.http.errors import STATUS
from domain.errors import Refusal
from ports.system import Unavailable
from tests.http.conftest import Api, client_of


def subclasses(kind: type[Refusal]) -> set[type[Refusal]]:
    return {kind} | {deeper for child in kind.__subclasses__() for deeper in subclasses(child)}


def test_every_refusal_has_a_status_a_code_and_a_message() -> None:
    assert STATUS.keys() == subclasses(Refusal) - {Refusal}
    for refusal in STATUS:
        assert refusal.code
        assert refusal.message is not Refusal.message


@pytest.mark.parametrize("failure", [RuntimeError("canary"), Unavailable("canary"), KeyError("canary")])
@pytest.mark.parametrize("port", ["api_key_lookup", "documents"])
async def test_a_failure_before_or_behind_the_router_reveals_no_detail(
    api: Api, port: str, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        def known(self, digest: bytes) -> Never:
            raise failure

        async def get(self, workspace: str, document: str) -> Never:
            raise failure

    ports = replace(api.service.ports, **{port: Failing()})  # type: ignore[arg-type]
    async with client_of(ports, dict(api.http.headers)) as http:
        with caplog.at_level(logging.CRITICAL):
            answer = await http.get("/v1/documents/doc_01HY0000000000000000000000")
    unavailable = isinstance(failure, Unavailable)
    assert answer.status_code == (503 if unavailable else 500)
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]["code"] == ("unavailable" if unavailable else "internal_error")
    assert answer.json()["error"]["request_id"] == answer.headers["X-Request-ID"]
    assert "canary" not in answer.text + str(answer.headers)
    assert ("Retry-After" in answer.headers) == unavailable


async def test_changed_bytes_are_409_and_the_record_can_still_be_read(api: Api) -> None:
    document = await api.recorded()
    path = f"/v1/documents/{document['id']}"
    url = (await api.http.get(path)).json()["data"]["download_url"]
    api.service.ports.storage.swap(document["storage_path"], b"other")  # type: ignore[attr-defined]
    for refused in (await api.http.get(path), await api.http.get(url)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "object_changed")
    assert (await api.http.get(f"{path}?download=false")).status_code == 200
