"""Headers and bodies are honoured or refused, never ignored, in requests with JSON and in uploads."""

import base64
import hashlib
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.http.conftest import Api

Send = Callable[[dict[str, str]], Awaitable[httpx.Response]]

BODY = b'{"name": "a.txt", "mime_type": "text/plain"}'


def sha256(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@pytest.fixture(params=["json", "upload"])
async def send(api: Api, request: pytest.FixtureRequest) -> Send:
    """Send BODY with more headers: as JSON, or as the content of an upload."""
    url, kind, method = "/v1/documents/upload-url", "application/json", "POST"
    if request.param == "upload":
        url, kind, method = (await api.signed_upload())["upload_url"], "text/plain", "PUT"

    async def send(headers: dict[str, str]) -> httpx.Response:
        return await api.http.request(method, url, content=BODY, headers={"Content-Type": kind} | headers)

    return send


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "identity"},
        {"Content-Encoding": ""},
        {"Content-Digest": sha256(BODY)},
        {"Repr-Digest": f"sha-512=:AAAA:, {sha256(BODY)}"},
        {"X-Amz-Checksum-SHA256": sha256(BODY)[9:-1], "X-Amz-Sdk-Checksum-Algorithm": "SHA256"},
        {"X-Amz-Content-SHA256": hashlib.sha256(BODY).hexdigest()},
        {"X-Amz-Content-SHA256": hashlib.sha256(BODY).hexdigest().upper(), "Content-Digest": sha256(BODY)},
        {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"},
        {"Upload-Complete": "?1", "Upload-Offset": "0", "Content-Transfer-Encoding": "binary"},
        {"Content-Transfer-Encoding": "Binary"},
    ],
)
async def test_a_true_header_about_the_body_is_accepted(send: Send, headers: dict[str, str]) -> None:
    assert (await send(headers)).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "identity, br", "aws-chunked", "x"])
async def test_an_encoded_body_is_415_with_the_coding_that_is_accepted(send: Send, coding: str) -> None:
    answer = await send({"Content-Encoding": coding})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
    assert answer.json()["error"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Range", "bytes 0-3/10"),
        ("X-Content-Range", "bytes 0-3/10"),
        ("Upload-Complete", "?0"),
        ("Upload-Incomplete", "?1"),
        ("Upload-Offset", "5"),
        ("OC-Chunked", "1"),
        ("Content-Transfer-Encoding", "base64"),
        ("X-Amz-Content-SHA256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("X-Amz-Content-SHA256", "unsigned-payload"),
        ("X-Amz-Content-SHA256", hashlib.sha256(b"other").hexdigest()),
        ("X-Amz-Decoded-Content-Length", "5"),
        ("X-Amz-Copy-Source", "/bucket/key"),
        ("X-Amz-Checksum-CRC64NVME", "AAAAAAAAAAA="),
        ("X-Amz-Checksum-SHA256", "AAAA"),
        ("X-Amz-Checksum-SHA256", sha256(b"other")[9:-1]),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Method", ""),
        ("X-Idempotency-Key", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("Digest", "SHA-256=AAAA"),
        ("Content-Digest", sha256(b"other")),
        ("Repr-Digest", sha256(b"other")),
        ("Content-Digest", "sha-256=AAAA"),
        ("Content-Digest", "sha-256=:AAAA:"),
        ("Content-Digest", "sha-512=:AAAA:"),
        ("Content-Digest", f"{sha256(BODY)}, {sha256(BODY)}"),
    ],
)
async def test_a_false_or_unsupported_header_that_changes_a_request_is_400(send: Send, name: str, value: str) -> None:
    answer = await send({name: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["fields"].keys() == {name}
    assert (await send({})).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_a_header_that_names_the_method_or_signs_an_empty_body_is_accepted(api: Api, method: str) -> None:
    path = f"/v1/documents/{(await api.recorded())['id']}"
    signed = {"X-Amz-Content-SHA256": hashlib.sha256(b"").hexdigest()}
    override = dict.fromkeys(("X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"), method)
    answer = await api.http.request(method, path, headers=signed | override)
    assert answer.status_code in (200, 204)


async def test_a_signed_digest_that_is_sent_twice_is_400(send: Send) -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    answer = await send({"X-Amz-Content-SHA256": digest, "x-amz-content-sha256": digest})
    assert answer.json()["error"]["details"]["fields"].keys() == {"X-Amz-Content-SHA256"}


@pytest.mark.parametrize("kind", ["application/json; charset=latin-1", "APPLICATION/JSON;x", "application/json ;v=2"])
async def test_parameters_of_json_and_a_byte_order_mark_are_ignored(api: Api, kind: str) -> None:
    answer = await api.http.post(
        "/v1/documents/upload-url", content=b"\xef\xbb\xbf" + BODY, headers={"Content-Type": kind}
    )
    assert answer.status_code == 200


async def test_all_mistakes_of_an_upload_are_named_together(api: Api) -> None:
    url = (await api.signed_upload(size_bytes=7, sha256="0" * 64))["upload_url"]
    wrong = {
        "Content-Range": "bytes 0-3/10",
        "Content-MD5": "x",
        "If-Match": "1",
        "If-None-Match": "1",
        "Content-Type": "text/csv",
        "Content-Length": str(len(BODY)),
    }
    answer = await api.http.put(url, content=BODY, headers=wrong)
    assert answer.json()["error"]["details"]["fields"].keys() == wrong.keys()
    # A number may begin with many zeros (RFC 9110 8.6). If no header has a digest, the error says that the body differs
    # from the terms of the URL.
    zeros = {"Content-Type": "text/plain", "Content-Length": "0" * 5000 + "7"}
    answer = await api.http.put(url, content=b"7 bytes", headers=zeros)
    assert answer.json()["error"]["details"]["fields"].keys() == {"sha256"}
    digest = {"Content-Type": "text/plain", "Repr-Digest": sha256(b"7 bytes")}
    answer = await api.http.put(url, content=b"7 bytes", headers=digest)
    assert answer.json()["error"]["details"]["fields"].keys() == {"Repr-Digest"}


@pytest.mark.parametrize(
    ("path", "media_types"),
    [
        ("/v1/documents/doc_x", "application/json, application/merge-patch+json"),
        ("/v1/folders", "application/json"),
        ("/v1/documents", None),
    ],
)
async def test_options_and_415_name_the_media_types_of_a_patch(api: Api, path: str, media_types: str | None) -> None:
    method = "PATCH" if media_types else "POST"
    answers = [
        await api.http.options(path),
        await api.http.request(method, path, content=b"{}", headers={"Content-Type": "application/json-patch+json"}),
        await api.http.request(method, path, json={}, headers={"Content-Encoding": "gzip"}),
    ]
    assert [answer.status_code for answer in answers] == [204, 415, 415]
    assert {answer.headers.get("Accept-Patch") for answer in answers} == {media_types}


async def test_only_a_patch_of_a_document_reads_json_merge_patch(api: Api) -> None:
    merge_patch = {"Content-Type": "application/merge-patch+json"}
    path = f"/v1/documents/{(await api.recorded())['id']}"
    for method, to, status in (("PATCH", path, 200), ("PATCH", "/v1/folders", 415), ("POST", "/v1/documents", 415)):
        answer = await api.http.request(method, to, content=b'{"name": "b.pdf"}', headers=merge_patch)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("content", "status"),
    [
        *((b"", 200), (b" {}\n", 200), (b"null", 200), (b"[]", 200)),
        *((b'{"tag": "a"}', 400), (b"tag=a", 400), (b'["a"]', 400)),
    ],
)
async def test_the_body_of_a_get_is_refused_unless_it_says_nothing(api: Api, content: bytes, status: int) -> None:
    answer = await api.http.request("GET", "/v1/documents", content=content)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"]["details"]["fields"].keys() == {"body"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/documents"), ("PATCH", "/v1/folders"), ("POST", "/v1/documents")]
)
async def test_if_match_is_refused_where_no_etag_exists(api: Api, method: str, path: str) -> None:
    answer = await api.http.request(method, path, json={} if method != "GET" else None, headers={"If-Match": '"1"'})
    assert answer.status_code == 400
    assert "has no ETag" in answer.json()["error"]["details"]["fields"]["If-Match"]


async def test_a_signed_url_that_is_used_with_another_method_names_its_own(api: Api) -> None:
    document = await api.recorded()
    found = (await api.http.get(f"/v1/documents/{document['id']}")).json()["data"]
    upload = (await api.signed_upload())["upload_url"]
    for method, url, allowed in (("GET", upload, "PUT, OPTIONS"), ("PUT", found["download_url"], "GET, HEAD, OPTIONS")):
        answer = await api.http.request(method, url)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
        assert f"is for {allowed.partition(',')[0]} only" in answer.json()["error"]["message"]
