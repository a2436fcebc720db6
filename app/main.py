"""The ASGI application of a deployment: `uvicorn --factory app.main:create_app`; `dossier serve` runs it too."""

import gc
import os
from contextlib import AsyncExitStack
from typing import cast

from litestar.types import ASGIApp, LifeSpanReceive, LifeSpanSend, Receive, Scope, Send

from adapters.http.asgi import build
from app.container import NotMigrated, open_backends
from app.settings import Settings
from app.sweeper import swept_regularly
from domain.use_cases.claim_storage import NotOurStorage
from ports.system import Unavailable

YOUNG_OBJECTS = 10_000
"""After how many new objects the youngest are searched for garbage."""


def create_app(settings: Settings | None = None, *, prepared: bool = False) -> ASGIApp:
    """The application of these settings, or of the environment; it opens its backends when the server starts it.

    `prepared` says that the store has been prepared and claimed, as `dossier serve` does once for all its workers.

    Raises:
        SettingsError: naming everything that is wrong with the environment.
    """
    return cast("ASGIApp", _Application(settings or Settings.read(os.environ), prepared))


class _Application:
    """ASGI with its lifespan: what is needed to build the routes exists only once the backends are open."""

    def __init__(self, settings: Settings, prepared: bool) -> None:
        self._settings = settings
        self._prepared = prepared
        self._routes: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Litestar's types keep the lifespan's scope apart from the others; a server does not.
        if str(scope["type"]) == "lifespan":
            await self._live(cast("LifeSpanReceive", receive), cast("LifeSpanSend", send))
        else:
            assert self._routes is not None
            await self._routes(scope, receive, send)

    async def _live(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                backends = await stack.enter_async_context(open_backends(self._settings))
                if not self._prepared:
                    await backends.storage.prepare()
                    await backends.claim_storage()
            except (Unavailable, NotMigrated, NotOurStorage) as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await stack.enter_async_context(swept_regularly(backends.sweep))
            await stack.enter_async_context(backends.key_uses.written_regularly())
            self._routes = build(backends.services())
            # What is allocated by now lives as long as the process; frozen, it is not scanned again and again. And with
            # a request's few hundred objects, the default of 700 has young ones scanned every other request (+9 %).
            gc.collect()
            gc.freeze()
            gc.set_threshold(YOUNG_OBJECTS)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
