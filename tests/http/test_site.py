"""Methods, cross-origin requests, and the addresses in responses."""

import re
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest

from adapters.http.site import Site
from tests.http.conftest import Api, client_of

DOCUMENT = "doc_01HY0000000000000000000000"
PAGE = "https://app.example.com"
ASKED = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type,x-a"}
PREFLIGHT = {"Origin": PAGE} | ASKED


def site_client(api: Api, site: Site) -> httpx.AsyncClient:
    return client_of(api.service.ports, site=site)


@pytest.fixture
async def shared(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A deployment whose API a page of PAGE may call."""
    async with site_client(api, Site(cors_origins=("https://other.example.com", PAGE))) as client:
        client.headers.update(await api.key())
        yield client


def cors(answer: httpx.Response) -> Iterable[str]:
    return {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("path", ["/v1/documents", "/storage/x", "/v1/nothing"])
async def test_a_preflight_of_an_allowed_origin_is_answered_without_an_api_key(api: Api, path: str) -> None:
    async with site_client(api, Site(cors_origins=(PAGE,))) as client:
        answer = await client.options(path, headers=PREFLIGHT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-a"
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["X-Request-ID"].startswith("req_")
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://app.example.com.evil.com", "http://app.example.com", "null", ""])
async def test_another_origin_is_not_allowed(shared: httpx.AsyncClient, origin: str) -> None:
    for answer in (
        await shared.options("/v1/documents", headers=PREFLIGHT | {"Origin": origin}),
        await shared.get("/v1/documents", headers={"Origin": origin}),
    ):
        assert not cors(answer)
        assert answer.headers["Vary"] == "Origin"


async def test_a_page_may_read_every_response_and_the_headers_of_the_api(shared: httpx.AsyncClient) -> None:
    for answer in (
        await shared.get("/v1/documents", headers={"Origin": PAGE}),
        await shared.get("/v1/documents?page=0", headers={"Origin": PAGE}),
        await shared.get("/v1/documents", headers={"Origin": PAGE, "Authorization": "Bearer x"}),
        await shared.get("/v1/nothing", headers={"Origin": PAGE}),
        await shared.put("/storage/x", headers={"Origin": PAGE}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE, answer
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert {"ETag", "X-Request-ID", "X-RateLimit-Reset", "Retry-After", "Location"} <= set(exposed.split(", "))


async def test_pages_for_operators_are_closed_to_other_origins(shared: httpx.AsyncClient) -> None:
    for path in ("/metrics", "/health/ready", "/openapi.json"):
        assert not cors(await shared.get(path, headers={"Origin": PAGE}))
        assert not cors(await shared.options(path, headers=PREFLIGHT))


async def test_without_configured_origins_no_page_is_allowed_and_with_an_asterisk_every_one(api: Api) -> None:
    assert not cors(await api.http.options("/v1/documents", headers=PREFLIGHT))
    async with site_client(api, Site(cors_origins=("*",))) as client:
        answer = await client.options("/v1/documents", headers=PREFLIGHT)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Vary" not in answer.headers


async def test_head_has_the_headers_of_get_and_no_body_wherever_get_works(api: Api) -> None:
    document = f"/v1/documents/{(await api.recorded())['id']}?download=false"
    for path in (
        *(document, "/v1/documents", "/v1/folders", "/v1/tags", "/v1/usage", "/v1/api-keys", "/v1/matters/m/documents"),
        *("/health/live", "/health/ready", "/openapi.json", "/docs", "/docs/start.js", "/"),
        *("/v1/documents?page=0", "/v1/documents/doc_x", "/nothing"),
    ):
        get, head = await api.http.get(path), await api.http.head(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        for name in ("Content-Type", "Content-Length", "ETag", "Location"):
            assert head.headers.get(name) == get.headers.get(name), path


@pytest.mark.parametrize("public_url", ["https://example.com/dossier", ""])
async def test_every_address_begins_with_the_public_url(api: Api, public_url: str) -> None:
    async with site_client(api, Site(public_url)) as client:
        created = await client.post("/v1/documents", json=await api.uploaded(), headers=await api.key())
        assert created.headers["Location"] == f"{public_url}/v1/documents/{created.json()['data']['id']}"
        assert (await client.get("/openapi.json")).json()["servers"][0]["url"] == (public_url or "/")
        start = await client.get("/")
        assert (start.status_code, start.headers["Location"]) == (302, f"{public_url}/docs")
        page = await client.get("/docs")
        assert 'href="/' not in page.text
        assert 'src="/' not in page.text
        assert 'url: "openapi.json"' in (await client.get("/docs/start.js")).text


async def test_the_documentation_page_reads_the_openapi_document_and_needs_no_other_host(api: Api) -> None:
    page = await api.http.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "openapi.json" in page.text
    addresses = re.findall(r"""\b(?:src|href|data|action|poster|srcset)\s*=\s*["']?([^"'\s>]+)""", page.text)
    assert addresses
    for address in addresses:
        found = page.url.join(address)
        assert found.host == page.url.host or found.scheme == "data", address
        if found.scheme != "data" and not address.startswith("#"):
            assert (await api.http.get(found)).status_code == 200, address
    assert not re.search(r"""(?:@import|url\(|fetch\(|import|from)\s*\(?['"]?(?:https?:)?//""", page.text)
