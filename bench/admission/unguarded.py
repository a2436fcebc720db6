"""Dossier without admission: every request belongs to the workspace that the environment names.

`python -m bench.admission.unguarded PORT` serves Dossier as `dossier serve` would, but checks no API key and counts no
request. The difference in cost is the cost of admission.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from litestar.types import ASGIApp

from adapters.http.asgi import build
from app.settings import Settings
from app.wiring import open_service
from bench.floor import freeze, serve
from domain.access import Caller, Permission
from domain.ids import ApiKeyId, UserId, WorkspaceId
from domain.rate_limits import Tier, Verdict
from domain.use_cases.admit_request import Admission, AdmitRequest

WORKSPACE = "BENCH_WORKSPACE"
_NOBODY = "01M84JC1BPMH100XWPY0H5DGJN"
_VERDICT = Verdict(admitted=True, limit=1, remaining=1, reset=1, retry_after=0)


class AdmitAll:
    """The replacement of `AdmitRequest`."""

    def __init__(self, workspace: str) -> None:
        self._caller = Caller(
            workspace_id=WorkspaceId(workspace),
            user_id=UserId(f"usr_{_NOBODY}"),
            key_id=ApiKeyId(f"key_{_NOBODY}"),
            permissions=frozenset(Permission),
            tier=Tier.UNMETERED,
            expires_at=None,
            request_id="",
        )

    async def __call__(self, presented: str | None, address: str, request_id: str) -> Admission:  # noqa: ARG002
        return Admission(replace(self._caller, request_id=request_id), _VERDICT)


class Unguarded:
    """An ASGI application with a lifespan, as in `app.main`."""

    def __init__(self, settings: Settings, workspace: str) -> None:
        self._settings = settings
        self._workspace = workspace
        self._routes: ASGIApp | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            assert self._routes is not None
            await self._routes(scope, receive, send)
            return
        await receive()
        async with self._opened() as self._routes:
            freeze()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[ASGIApp]:
        async with open_service(self._settings, serving=True) as service:
            await service.ports.storage.prepare()
            admit = cast("AdmitRequest", AdmitAll(self._workspace))
            yield build(replace(service.use_cases, admit_request=admit), service.ports)


if __name__ == "__main__":
    serve(Unguarded(Settings.read(os.environ), os.environ[WORKSPACE]), int(sys.argv[1]))
