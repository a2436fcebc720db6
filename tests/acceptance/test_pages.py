"""What operators and readers get without a key: health, metrics, the OpenAPI document, its page."""

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from .client import ULID, Client
from .documents import COLLECTIONS
from .tenants import Tenants


@pytest.fixture(scope="module")
def anonymous(tenants: Tenants) -> Client:
    return tenants.connect(None)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"])
def test_no_key_is_needed_and_the_answer_has_a_request_id(anonymous: Client, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.status_code == 200
    assert re.fullmatch(f"req_{ULID}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"])
def test_a_wrong_key_does_not_matter_there(tenants: Tenants, path: str) -> None:
    assert tenants.connect("wbk_wrong", admitted=False).get(path).status_code == 200


@pytest.fixture(scope="module")
def openapi(anonymous: Client) -> dict[str, Any]:
    answer = anonymous.get("/openapi.json")
    assert "json" in answer.headers["Content-Type"]
    document: dict[str, Any] = json.loads(answer.content)
    return document


def test_the_openapi_document_is_of_version_3_and_has_a_title(openapi: dict[str, Any]) -> None:
    assert re.match(r"3\.\d+\.\d+", openapi["openapi"])
    assert openapi["info"]["title"]
    assert openapi["info"]["version"]


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", r"/v1/documents", {"201", "400", "401", "403", "409", "429"}),
        ("post", r"/v1/documents/upload-url", {"200", "400", "401", "403", "429"}),
        ("get", r"/v1/documents/\{\w+\}", {"200", "401", "403", "404", "429"}),
        ("get", r"/v1/documents", {"200", "400", "401", "403", "429"}),
        ("patch", r"/v1/documents/\{\w+\}", {"200", "400", "401", "403", "404", "412", "413", "415", "429"}),
        ("delete", r"/v1/documents/\{\w+\}", {"204", "400", "401", "403", "404", "412", "422", "429"}),
        ("post", r"/v1/documents/\{\w+\}/link", {"200", "201", "400", "401", "403", "404", "422", "429"}),
        ("delete", r"/v1/documents/\{\w+\}/link/\{\w+\}", {"204", "400", "401", "403", "404", "422", "429"}),
        *(
            ("get", rf"/v1/{name}/\{{\w+\}}/documents", {"200", "400", "401", "403", "429"})
            for name in COLLECTIONS.values()
        ),
        ("get", r"/v1/folders", {"200", "400", "401", "403", "429"}),
        ("patch", r"/v1/folders", {"200", "400", "401", "403", "409", "429"}),
        ("get", r"/v1/tags", {"200", "400", "401", "403", "429"}),
    ],
)
def test_the_openapi_document_knows_each_route_and_its_statuses(
    openapi: dict[str, Any], method: str, path: str, statuses: set[str]
) -> None:
    found = [item for name, item in openapi["paths"].items() if re.fullmatch(path, name) and method in item]
    assert len(found) == 1
    assert statuses <= set(found[0][method]["responses"])


def test_every_reference_in_the_openapi_document_leads_somewhere(openapi: dict[str, Any]) -> None:
    for reference in re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(openapi)):
        target: Any = openapi
        for name in reference.removeprefix("#/").split("/"):
            target = target[name.replace("~1", "/").replace("~0", "~")]


def test_every_answer_is_counted_for_operators_whichever_process_gave_it(anonymous: Client) -> None:
    def answered() -> float:
        text = anonymous.get("/metrics").text
        line = 'dossier_http_requests_total{method="GET",route="/health/live",status="200"} '
        return sum(float(found.removeprefix(line)) for found in text.splitlines() if found.startswith(line))

    before = answered()
    for _ in range(20):
        assert anonymous.get("/health/live").status_code == 200
    assert answered() >= before + 20


class Addresses(HTMLParser):
    """Every address a browser would fetch for a page, or go to from it."""

    def __init__(self) -> None:
        super().__init__()
        self.followed: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href", "data", "action", "poster", "srcset"} and value:
                (self.followed if tag == "a" else self.fetched).append(value)


def test_the_documentation_page_needs_no_outside_host(anonymous: Client) -> None:
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


def test_the_documentation_page_names_the_routes_or_reads_the_openapi_document(anonymous: Client) -> None:
    text = anonymous.get("/docs").text
    assert "/v1/documents" in text or "openapi.json" in text
