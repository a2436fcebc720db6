"""What the headers of a request say about its body is honoured or refused, of JSON and of uploads."""

import base64
import hashlib

import pytest

from tests.http.conftest import Api

BODY = b'{"name": "a.txt", "mime_type": "text/plain"}'


def sha256(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@pytest.fixture(params=["json", "upload"])
async def send(api: Api, request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Send BODY with more headers: as JSON, or as the content of an upload."""
    url, kind, method = "/v1/documents/upload-url", "application/json", "POST"
    if request.param == "upload":
        signed = (await api.http.post(url, content=BODY, headers={"Content-Type": kind})).json()["data"]
        url, kind, method = signed["upload_url"], "text/plain", "PUT"

    async def send(headers: dict[str, str]):  # type: ignore[no-untyped-def]
        return await api.http.request(method, url, content=BODY, headers={"Content-Type": kind} | headers)

    return send


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "identity"},
        {"Content-Encoding": ""},
        {"Content-Digest": sha256(BODY)},
        {"Repr-Digest": f"sha-512=:AAAA:, {sha256(BODY)}"},
    ],
)
async def test_what_is_true_of_the_body_is_accepted(send, headers: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    assert (await send(headers)).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "identity, br", "aws-chunked", "x"])
async def test_an_encoded_body_is_415_with_the_coding_that_is_accepted(send, coding: str) -> None:  # type: ignore[no-untyped-def]
    answer = await send({"Content-Encoding": coding})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
    assert answer.json()["error"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Range", "bytes 0-3/10"),
        ("Content-Md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("Digest", "SHA-256=AAAA"),
        ("Content-Digest", sha256(b"other")),
        ("Content-Digest", "sha-256=AAAA"),
        ("Content-Digest", "sha-256=:AAAA:"),
        ("Content-Digest", "sha-512=:AAAA:"),
        ("Content-Digest", f"{sha256(BODY)}, {sha256(BODY)}"),
    ],
)
async def test_what_is_not_true_or_not_understood_is_400_and_nothing_is_stored(  # type: ignore[no-untyped-def]
    send, name: str, value: str
) -> None:
    answer = await send({name: value})
    assert answer.status_code == 400
    assert {field.lower() for field in answer.json()["error"]["details"]["fields"]} <= {name.lower(), "sha256"}
    assert (await send({})).status_code == 200


@pytest.mark.parametrize("kind", ["application/json; charset=latin-1", "APPLICATION/JSON;x", "application/json ;v=2"])
async def test_parameters_of_json_and_a_byte_order_mark_are_ignored(api: Api, kind: str) -> None:
    answer = await api.http.post(
        "/v1/documents/upload-url", content=b"\xef\xbb\xbf" + BODY, headers={"Content-Type": kind}
    )
    assert answer.status_code == 200


async def test_patch_reads_json_merge_patch_and_says_so(api: Api) -> None:
    path = f"/v1/documents/{(await api.recorded())['id']}"
    merge_patch = {"Content-Type": "application/merge-patch+json"}
    assert (await api.http.patch(path, content=b'{"name": "b.pdf"}', headers=merge_patch)).status_code == 200
    refused = await api.http.patch(path, content=b"{}", headers={"Content-Type": "application/json-patch+json"})
    assert refused.status_code == 415
    assert refused.headers["Accept-Patch"] == "application/json, application/merge-patch+json"
    assert (await api.http.post("/v1/documents", content=b"{}", headers=merge_patch)).status_code == 415
