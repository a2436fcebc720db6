"""The pages that need no API key: health, metrics, the OpenAPI document and its reader."""

import re
from urllib.parse import urljoin, urlsplit

import pytest

from .client import RATE_HEADERS, Client
from .tenants import Tenants


@pytest.fixture(scope="module")
def anonymous(tenants: Tenants) -> Client:
    return tenants.connect(None)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"])
def test_an_open_page_ignores_the_api_key(tenants: Tenants, anonymous: Client, path: str) -> None:
    for client in (anonymous, tenants.connect("wbk_wrong", admitted=False)):
        answer = client.get(path)
        assert answer.status_code == 200
        assert not set(RATE_HEADERS) & set(answer.headers)


def test_the_documentation_page_reads_the_openapi_document_and_needs_no_other_host(anonymous: Client) -> None:
    page = anonymous.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "openapi.json" in page.text
    origin = urlsplit(anonymous.base_url)
    addresses = re.findall(r"""\b(?:src|href|data|action|poster|srcset)\s*=\s*["']?([^"'\s>]+)""", page.text)
    assert addresses
    for address in addresses:
        found = urlsplit(urljoin(str(page.url), address))
        same_origin = (found.scheme, found.netloc) == (origin.scheme, origin.netloc)
        assert same_origin or found.scheme == "data", address
        if same_origin and not address.startswith("#"):
            assert anonymous.get(found.path).status_code == 200, address
    assert not re.search(r"""(?:@import|url\(|fetch\(|import|from)\s*\(?['"]?(?:https?:)?//""", page.text)
