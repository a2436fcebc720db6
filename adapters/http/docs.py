"""The OpenAPI document at `/openapi.json`, and Swagger UI at `/docs`, served from an installed package.

The page loads nothing from another host, and its Content-Security-Policy makes the browser enforce that.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from adapters.http.description.openapi import openapi_document
from adapters.http.operation import readable
from adapters.http.request import AnyRequest, site_of
from domain.errors import NotFound


def routes() -> Sequence[HTTPRouteHandler]:
    """Return the routes `/`, `/openapi.json` and `/docs`. They need no API key and are not in the OpenAPI document."""
    return [
        readable("/", include_in_schema=False)(start_page),
        readable("/openapi.json", include_in_schema=False)(openapi_json),
        readable("/docs", include_in_schema=False)(docs_page),
        readable("/docs/{name:str}", sync_to_thread=True, include_in_schema=False)(docs_file),
    ]


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
<link rel="service-desc" type="application/json" href="openapi.json">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "openapi.json", dom_id: "#api", deepLinking: true, persistAuthorization: false, validatorUrl: null,
})
"""
# Swagger UI writes inline styles and data: images into its page, hence 'unsafe-inline' and data:.
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def start_page(request: AnyRequest) -> Response[None]:
    return Response(None, status_code=302, headers={"Location": f"{site_of(request).public_url}/docs"})


async def openapi_json(request: AnyRequest) -> Response[bytes]:
    state = request.app.state
    # The first request builds the document, because most processes never serve it.
    if "openapi_json" not in state:
        state.openapi_json = msgspec.json.encode(openapi_document(request.app, site_of(request).public_url))
    return Response(state.openapi_json, media_type="application/json")


async def docs_page() -> Response[bytes]:
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


def docs_file(name: FromPath[str]) -> Response[bytes]:
    if name not in _TYPES:
        raise NotFound
    content = _START if name == "start.js" else _file_of_swagger_ui(name)
    return Response(content, media_type=_TYPES[name], headers={"Cache-Control": "max-age=3600"})


@cache
def _file_of_swagger_ui(name: str) -> bytes:
    # Kept, because anyone may ask for it, and the largest file has 1.5 MB.
    return (_swagger_ui() / name).read_bytes()


def _swagger_ui() -> Path:
    # Find the package without importing it, because its code imports web frameworks that are not installed.
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise RuntimeError("swagger-ui-py is not installed: run 'make setup'")
    return Path(spec.origin).parent / "static"
