"""Dossier in a real browser: calls from pages of other origins, files that the browser shows, and files that it
saves."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from .browser import CHROMIUM, Browser, open_browser, served_pages
from .client import Client
from .service import running_server
from .tenants import Tenants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

PAGE = (Path(__file__).parent / "clients" / "page.js").read_text()


STATUSES = {
    "sign": 200,
    "upload": 200,
    "upload again": 412,
    "create": 201,
    "create again": 201,
    "read": 200,
    "read unchanged": 304,
    "change": 200,
    "change late": 412,
    "wrong member": 400,
    "part": 206,
    "unchanged download": 304,
    "move": 200,
    "delete": 204,
    "read deleted": 404,
    "without a key": 401,
}
"""The steps of `page.js`."""


class World(NamedTuple):
    """A browser, a running Dossier with a client of it, and the origins of two web pages.

    `DOSSIER_CORS_ORIGINS` names the origin `listed`, and does not name `other`.
    """

    browser: Browser
    listed: str
    other: str
    tenants: Tenants
    client: Client


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    site, folder = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("chromium")
    (site / "index.html").write_text("<!doctype html><title>A page</title>")
    with (
        served_pages(site) as listed,
        served_pages(site) as other,
        running_server(DOSSIER_CORS_ORIGINS=listed) as server,
        closing(Tenants(server.base_url, server.cli)) as tenants,
        open_browser(folder) as browser,
    ):
        yield World(browser, listed, other, tenants, tenants.client())


def test_a_page_of_a_listed_origin_uses_the_api_and_the_directory_store(world: World) -> None:
    assert world.browser.visit(world.listed)
    done = world.browser.run(PAGE, world.client.base_url, world.client.key)
    assert done == {
        "statuses": STATUSES,
        "text": "Signed on Friday.",
        "part": "Signed",
        "unread": [],
    }


def test_a_page_of_a_listed_origin_can_read_retry_after(world: World) -> None:
    key = world.tenants.api_key(world.tenants.workspace("starter"), tier="standard").key
    assert world.browser.visit(world.listed)
    # Starter admits ten requests a minute, and a new minute may begin meanwhile.
    wait = """async (url, key) => {
        for (let i = 0; i < 21; i++) {
            const response = await fetch(url, {headers: {Authorization: `Bearer ${key}`}});
            if (response.status === 429) return Number(response.headers.get("Retry-After"));
        }
    }"""
    assert 0 < world.browser.run(wait, f"{world.client.base_url}/v1/usage", key) <= 60


def test_a_page_of_another_origin_reads_nothing_and_uploads_nothing(world: World) -> None:
    assert world.browser.visit(world.other)
    signed = world.client.sign_upload()
    attempt = """async (url, options) => {
        try { return (await fetch(url, options)).status } catch (refused) { return refused.name }
    }"""
    usage, bearer = f"{world.client.base_url}/v1/usage", {"Authorization": f"Bearer {world.client.key}"}
    for url, options in (
        (usage, {"headers": bearer}),
        # This request needs no preflight.
        (usage, {}),
        (signed.upload_url, {"method": "PUT", "headers": signed.headers, "body": "evil"}),
        (world.client.download_url(world.client.recorded()["id"]), {}),
    ):
        assert world.browser.run(attempt, url, options) == "TypeError", url
    assert world.client.put(signed, b"hello").status_code == 200


MARKUP = b"<html xmlns='http://www.w3.org/1999/xhtml'><script>document.title = 'ran'</script><p>text</p></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>document.title = 'ran'</script><title>a</title></svg>"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>endobj\n"
    b"4 0 obj<</Length 26>>stream\n1 0 0 rg 0 0 200 200 re f \nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)
GIF = b"GIF89a\1\0\1\0\x80\0\0\xff\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


def recorded(client: Client, name: str, mime_type: str, content: bytes) -> str:
    """Return the id of a document with this content."""
    path = client.upload(content, name=name, mime_type=mime_type)
    return str(client.recorded(path, name=name, mime_type=mime_type)["id"])


@pytest.mark.parametrize(
    ("mime_type", "content", "is_shown"),
    [
        *(("application/pdf", PDF, True), ("image/gif", GIF, True), ("text/plain", MARKUP, True)),
        *(("text/html", MARKUP, False), ("application/xhtml+xml", MARKUP, False), ("image/svg+xml", SVG, False)),
        # The content does not match its media type, and the browser must not guess another type.
        *(("image/gif", MARKUP, True), ("application/x-new", MARKUP, False)),
        ("application/octet-stream", MARKUP, False),
    ],
)
def test_a_browser_shows_only_what_cannot_run(world: World, mime_type: str, content: bytes, is_shown: bool) -> None:
    document = recorded(world.client, "a", mime_type, content)
    url = world.client.get(f"/v1/documents/{document}?disposition=inline").json()["data"]["download_url"]
    assert world.browser.visit(url) is is_shown
    if is_shown:
        assert world.browser.run("async () => [document.contentType, document.title === 'ran']") == [mime_type, False]
    else:
        assert world.browser.saved().read_bytes() == content


def test_a_text_is_shown_in_the_encoding_of_its_latest_media_type(world: World) -> None:
    document = recorded(world.client, "a", "text/plain", "Größe".encode())
    world.client.patch(f"/v1/documents/{document}", {"mime_type": "text/plain; charset=utf-8"})
    url = world.client.get(f"/v1/documents/{document}?disposition=inline").json()["data"]["download_url"]
    assert world.browser.visit(url)
    assert world.browser.run("async () => document.body.innerText") == "Größe"


@pytest.mark.parametrize(
    "name", ["Größe 100 %.txt", "契約書 🎉.txt", "Vertrag „neu“; a=b, 'c'.txt", "حقوق.txt"], ids=ascii
)
def test_a_browser_saves_a_file_under_the_name_of_its_document(world: World, name: str) -> None:
    document = recorded(world.client, name, "text/plain", b"hello")
    assert not world.browser.visit(world.client.download_url(document))
    saved = world.browser.saved()
    assert (saved.name, saved.read_bytes()) == (name, b"hello")
