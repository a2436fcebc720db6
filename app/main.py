"""The ASGI application of a deployment: `uvicorn --factory app.main:create_app`. `dossier serve` runs it too."""

import gc
import os
from contextlib import AsyncExitStack
from typing import cast

from litestar.types import ASGIApp, LifeSpanReceive, LifeSpanSend, Receive, Scope, Send

from adapters.http.asgi import build
from adapters.http.site import Site
from app.settings import Settings
from app.wiring import NotMigrated, open_service
from domain.use_cases.generations import ForeignStore
from domain.use_cases.verify_secret import OtherSecret
from ports.system import Unavailable

YOUNG_OBJECTS = 10_000
"""The number of allocated objects after which the garbage collector examines the youngest generation."""


def create_app(settings: Settings | None = None, *, prepared: bool = False) -> ASGIApp:
    """Return the application of these settings, or of the environment. Its lifespan opens the service.

    `prepared`: the store is already prepared and claimed. `dossier serve` does that once for all its workers.

    Raises:
        SettingsError: naming everything that is wrong with the environment.
    """
    return cast("ASGIApp", _Application(settings or Settings.read(os.environ), prepared))


class _Application:
    """An ASGI application with its own lifespan, because the routes can only be built once the service is open."""

    def __init__(self, settings: Settings, prepared: bool) -> None:
        self._settings = settings
        self._prepared = prepared
        self._routes: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Litestar has separate types for the scope of the lifespan and the other scopes; a server does not distinguish
        # them.
        if str(scope["type"]) == "lifespan":
            await self._live(cast("LifeSpanReceive", receive), cast("LifeSpanSend", send))
        else:
            assert self._routes is not None
            await self._routes(scope, receive, send)

    async def _live(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                service = await stack.enter_async_context(open_service(self._settings, serving=True, jobs=True))
                if not self._prepared:
                    await service.ports.storage.prepare()
                    await service.use_cases.claim_store()
            except (Unavailable, NotMigrated, OtherSecret, ForeignStore) as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            self._routes = build(
                service.use_cases, service.ports, Site(self._settings.public_url or "", self._settings.cors_origins)
            )
            # Objects allocated so far live as long as the process. After `gc.freeze`, they are not scanned again. A
            # request allocates a few hundred objects, so the default threshold of 700 scans at every other request (+9
            # %).
            gc.collect()
            gc.freeze()
            gc.set_threshold(YOUNG_OBJECTS)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
