"""The API described: `/openapi.json`, and `/docs`, which shows it with Swagger UI from files that came with a package.

Nothing on the page comes from another host, and its policy says so to the browser.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from adapters.http.body import AnyRequest
from adapters.http.openapi import openapi_document
from domain.errors import NotFound

_TYPES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "start.js": "text/javascript",
}
_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dossier API</title>
<link rel="service-desc" type="application/json" href="/openapi.json">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#api", deepLinking: true, persistAuthorization: false, validatorUrl: null,
})
"""
# 'unsafe-inline' for styles and data: for images: Swagger UI writes both into its page.
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


def docs_handlers() -> Sequence[HTTPRouteHandler]:
    """`/openapi.json` and `/docs`."""
    rendered: list[bytes] = []

    @get("/openapi.json")
    async def openapi_json(request: AnyRequest) -> Response[bytes]:
        if not rendered:
            rendered.append(msgspec.json.encode(openapi_document(request.app)))
        return Response(rendered[0], media_type="application/json")

    @get("/docs")
    async def docs_page() -> Response[bytes]:
        return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    @get("/docs/{name:str}", sync_to_thread=True)
    def docs_file(name: FromPath[str]) -> Response[bytes]:
        if name not in _TYPES:
            raise NotFound
        content = _START if name == "start.js" else (_swagger_ui() / name).read_bytes()
        return Response(content, media_type=_TYPES[name], headers={"Cache-Control": "max-age=3600"})

    return [openapi_json, docs_page, docs_file]


def _swagger_ui() -> Path:
    # Found, not imported: the package's own code serves other frameworks and pulls in theirs.
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise RuntimeError("swagger-ui-py is not installed: run 'make setup'")
    return Path(spec.origin).parent / "static"
