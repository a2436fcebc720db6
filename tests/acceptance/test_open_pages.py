"""The pages that need no API key: health, metrics, the OpenAPI document and its reader."""

import re
from html.parser import HTMLParser
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


def test_every_answer_is_counted_whichever_process_gave_it(anonymous: Client) -> None:
    def answered() -> float:
        text = anonymous.get("/metrics").text
        line = 'dossier_http_requests_total{method="GET",route="/health/live",status="200"} '
        return sum(float(found.removeprefix(line)) for found in text.splitlines() if found.startswith(line))

    before = answered()
    for _ in range(20):
        assert anonymous.get("/health/live").status_code == 200
    assert answered() >= before + 20


class Addresses(HTMLParser):
    """Every address that a browser fetches for a page, or follows from it."""

    def __init__(self) -> None:
        super().__init__()
        self.followed: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href", "data", "action", "poster", "srcset"} and value:
                (self.followed if tag == "a" else self.fetched).append(value)


def test_the_documentation_page_reads_the_openapi_document_and_needs_no_other_host(anonymous: Client) -> None:
    page = anonymous.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    addresses = Addresses()
    addresses.feed(page.text)
    origin = urlsplit(anonymous.base_url)
    for address in addresses.fetched + addresses.followed:
        found = urlsplit(urljoin(str(page.url), address))
        same_origin = (found.scheme, found.netloc) == (origin.scheme, origin.netloc)
        assert same_origin or found.scheme == "data", address
    assert not re.search(r"""(?:@import|url\(|fetch\(|import|from)\s*\(?['"]?(?:https?:)?//""", page.text)
    for address in addresses.fetched:
        if not address.startswith(("data:", "#")):
            assert anonymous.get(urljoin("/docs", address)).status_code == 200, address
    assert "openapi.json" in page.text
