"""Signed URLs that we serve ourselves: uploads and downloads on the wire."""

from typing import Any

import httpx
import pytest

from tests.http.conftest import Api

CONTENT = bytes(range(256)) * 10


async def link(api: Api, **members: object) -> dict[str, str]:
    body = {"name": "a.pdf", "mime_type": "application/pdf"} | members
    data: dict[str, str] = (await api.http.post("/v1/documents/upload-url", json=body)).json()["data"]
    return data


async def put(api: Api, url: str, content: bytes = CONTENT, content_type: str = "application/pdf") -> httpx.Response:
    return await api.http.put(url, content=content, headers={"Content-Type": content_type})


async def test_a_second_upload_is_412_and_changes_nothing(api: Api) -> None:
    data = await link(api)
    assert (await put(api, data["upload_url"])).status_code == 200
    answer = await put(api, data["upload_url"], b"other")
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "precondition_failed")
    recorded = await api.record(storage_path=data["storage_path"])
    assert recorded.json()["data"]["size_bytes"] == len(CONTENT)


async def test_another_type_length_or_checksum_is_refused_and_stores_nothing(api: Api) -> None:
    data = await link(api, size_bytes=len(CONTENT))
    assert (await put(api, data["upload_url"], content_type="text/html")).status_code == 400
    assert (await put(api, data["upload_url"], CONTENT[1:])).status_code == 400
    summed = await link(api, sha256="0" * 64)
    assert (await put(api, summed["upload_url"])).status_code == 400
    for refused in (data, summed):
        assert (await api.record(storage_path=refused["storage_path"])).status_code == 400


async def test_a_changed_or_expired_link_is_403(api: Api) -> None:
    data = await link(api)
    assert (await put(api, data["upload_url"] + "0")).status_code == 403
    assert (await put(api, data["upload_url"] + "&more=1")).status_code == 403
    assert (await put(api, data["upload_url"] + "&token=1")).status_code == 403
    api.clock.advance(minutes=15)
    assert (await put(api, data["upload_url"])).status_code == 403


async def test_an_upload_link_downloads_nothing(api: Api) -> None:
    data = await link(api)
    await put(api, data["upload_url"])
    assert (await api.http.get(data["upload_url"])).status_code == 403


async def download_url(api: Api, **members: Any) -> str:
    data = await link(api)
    await put(api, data["upload_url"])
    id_ = (await api.record(storage_path=data["storage_path"], **members)).json()["data"]["id"]
    return str((await api.http.get(f"/v1/documents/{id_}")).json()["data"]["download_url"])


async def test_a_download_is_an_attachment_that_cannot_run(api: Api) -> None:
    url = await download_url(api, name="Müller.html", mime_type="text/html")
    answer = await api.http.get(url)
    assert answer.content == CONTENT
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"Muller.html\"; filename*=UTF-8''M%C3%BCller.html"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(CONTENT))


async def test_head_answers_as_get_without_the_bytes(api: Api) -> None:
    url = await download_url(api)
    head, get = await api.http.head(url), await api.http.get(url)
    own = {"x-request-id", "transfer-encoding"}
    assert head.status_code == 200
    assert head.content == b""
    assert {k: v for k, v in head.headers.items() if k not in own} == {
        k: v for k, v in get.headers.items() if k not in own
    }


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=2550-", 206, 2550, 2560),
        ("bytes=-10", 206, 2550, 2560),
        ("bytes=-9999", 206, 0, 2560),
        ("bytes=0-9999", 206, 0, 2560),
        ("bytes=2559-2559", 206, 2559, 2560),
        ("bytes=5-4", 200, 0, 2560),
        ("bytes=0-1,4-5", 200, 0, 2560),
        ("bytes=-", 200, 0, 2560),
        ("chars=0-1", 200, 0, 2560),
        ("nonsense", 200, 0, 2560),
    ],
)
async def test_one_range_is_served_and_anything_else_is_the_whole(
    api: Api, asked: str, status: int, start: int, stop: int
) -> None:
    answer = await api.http.get(await download_url(api), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, CONTENT[start:stop])
    if status == 206:
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/2560"


@pytest.mark.parametrize("asked", ["bytes=2560-", "bytes=9999-99999", "bytes=-0"])
async def test_a_range_beyond_the_end_is_416(api: Api, asked: str) -> None:
    answer = await api.http.get(await download_url(api), headers={"Range": asked})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */2560")
    assert "Range" in answer.json()["error"]["details"]["fields"]


async def test_if_range_with_another_etag_gets_the_whole(api: Api) -> None:
    url = await download_url(api)
    etag = (await api.http.head(url)).headers["ETag"]
    for value, status in ((etag, 206), ('"another"', 200)):
        answer = await api.http.get(url, headers={"Range": "bytes=0-1", "If-Range": value})
        assert answer.status_code == status


async def test_bytes_swapped_after_signing_are_not_served(api: Api) -> None:
    data = await link(api)
    await put(api, data["upload_url"])
    id_ = (await api.record(storage_path=data["storage_path"])).json()["data"]["id"]
    url = (await api.http.get(f"/v1/documents/{id_}")).json()["data"]["download_url"]
    api.service.ports.storage.swap(data["storage_path"], b"other")  # type: ignore[attr-defined]
    assert (await api.http.get(url)).status_code == 409
