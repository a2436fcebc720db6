"""Uploads and downloads of the Python client: each file is recorded once, with its bytes, over a bad network too."""

import os
from pathlib import Path

import pytest

from dossier_client import Damaged, DossierError, FileChanged, NotAnswered, Unavailable, ValidationFailed
from dossier_client.transfers import file_name, guess_type
from tests.client.conftest import Deployment
from tests.client.network import Happens, answer_lost, answered_with, cut_after, lost

DOCUMENTS = "/v1/documents"
STORE = "/storage/"
TEXT = b"Signed on Friday.\n" * 1000


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "contract.txt"
    path.write_bytes(TEXT)
    return path


def test_an_uploaded_file_is_recorded_with_its_name_type_and_bytes(
    deployment: Deployment, contract: Path, tmp_path: Path
) -> None:
    seen: list[int] = []
    document = deployment.client.upload(contract, folder="/clients", tags=["contract"], progress=seen.append)
    assert (document.name, document.mime_type, document.size_bytes) == ("contract.txt", "text/plain", len(TEXT))
    assert (document.folder, document.tags, seen[-1]) == ("/clients", ("contract",), len(TEXT))
    path = deployment.client.download(document.id, tmp_path / "copy.txt")
    assert path.read_bytes() == TEXT


@pytest.mark.parametrize("data", [b"", b"x"])
def test_bytes_are_uploaded_under_the_given_name(deployment: Deployment, data: bytes, tmp_path: Path) -> None:
    document = deployment.client.upload(data, name="note.bin")
    assert document.size_bytes == len(data)
    assert deployment.client.download(document.id, tmp_path).read_bytes() == data


@pytest.mark.parametrize(
    ("method", "path", "faults"),
    [
        pytest.param("POST", DOCUMENTS + "/upload-url", [lost, answered_with(502)], id="the signed URL"),
        pytest.param("PUT", STORE, [lost, answered_with(503)], id="the upload, before it began"),
        pytest.param("PUT", STORE, [answer_lost], id="the response to the upload"),
        pytest.param("PUT", STORE, [answered_with(409, Retry_After="1")], id="another upload is under way"),
        pytest.param("PUT", STORE, [answered_with(403)], id="an expired signed URL"),
        pytest.param("POST", DOCUMENTS, [answered_with(429, Retry_After="41")], id="the rate limit"),
        pytest.param(
            "POST", DOCUMENTS, [answered_with(500), answer_lost, answer_lost], id="the response to the create"
        ),
    ],
)
def test_a_failure_of_the_network_leaves_one_document(
    deployment: Deployment, contract: Path, method: str, path: str, faults: list[Happens]
) -> None:
    deployment.network.fails(method, path, *faults)
    document = deployment.client.upload(contract)
    assert not deployment.network.faults
    assert [found.id for found in deployment.client.walk()] == [document.id]
    assert document.size_bytes == len(TEXT)


def test_a_repeated_create_keeps_its_idempotency_key(deployment: Deployment, contract: Path) -> None:
    deployment.network.fails("POST", DOCUMENTS + "/upload-url", lost)
    deployment.network.fails("POST", DOCUMENTS, answer_lost, answered_with(503))
    deployment.client.upload(contract)
    creates = deployment.network.sent("POST", DOCUMENTS)
    assert len(creates) == 3
    assert len({one.headers["Idempotency-Key"] for one in creates}) == 1


def test_a_network_that_stays_away_ends_the_upload(deployment: Deployment, contract: Path) -> None:
    deployment.network.fails("PUT", STORE, *[lost] * 100)
    with pytest.raises(NotAnswered) as caught:
        deployment.client.upload(contract)
    assert "?" not in str(caught.value), "the query of a signed URL is a secret"
    deployment.network.faults.clear()
    assert list(deployment.client.walk()) == []


def test_a_file_that_changes_while_it_is_read_is_not_recorded(deployment: Deployment, contract: Path) -> None:
    def append(_transferred: int) -> None:
        with contract.open("ab") as file:
            file.write(b"more")

    with pytest.raises(FileChanged):
        deployment.client.upload(contract, progress=append)
    assert list(deployment.client.walk()) == []


@pytest.mark.parametrize("kind", ["a directory", "a named pipe", "missing"])
def test_what_is_not_a_regular_file_is_refused_at_once(deployment: Deployment, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "source"
    if kind == "a directory":
        path.mkdir()
    elif kind == "a named pipe":
        os.mkfifo(path)
    with pytest.raises(OSError, match="source"):
        deployment.client.upload(path)
    assert deployment.network.requests == []


def test_the_server_refuses_a_file_name_that_is_not_utf8(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(b"x")
    with pytest.raises(ValidationFailed, match="surrogates"):
        deployment.client.upload(path)


def test_an_interrupted_download_goes_on_where_it_stopped(
    deployment: Deployment, contract: Path, tmp_path: Path
) -> None:
    document = deployment.client.upload(contract)
    deployment.network.fails("GET", STORE, cut_after(7000), lost, cut_after(500))
    path = deployment.client.download(document.id, tmp_path / "copy.txt")
    assert path.read_bytes() == TEXT
    ranges = [one.headers.get("Range") for one in deployment.network.sent("GET", STORE)]
    assert ranges == [None, "bytes=7000-", "bytes=7000-", "bytes=7500-"]


def test_an_expired_download_url_is_replaced(deployment: Deployment, contract: Path, tmp_path: Path) -> None:
    document = deployment.client.upload(contract)
    deployment.network.fails("GET", STORE, answered_with(403))
    assert deployment.client.download(document.id, tmp_path / "copy.txt").read_bytes() == TEXT


@pytest.mark.parametrize(
    ("fault", "error"), [(lost, NotAnswered), (answered_with(503), Unavailable), (answered_with(404), DossierError)]
)
def test_a_failed_download_leaves_no_file(
    deployment: Deployment, contract: Path, tmp_path: Path, fault: Happens, error: type[Exception]
) -> None:
    document = deployment.client.upload(contract)
    target = tmp_path / "target"
    target.mkdir()
    deployment.network.fails("GET", STORE, *[fault] * 100)
    with pytest.raises(error):
        deployment.client.download(document.id, target)
    deployment.network.faults.clear()
    assert list(target.iterdir()) == []


def test_bytes_that_are_not_the_recorded_ones_are_discarded(
    deployment: Deployment, contract: Path, tmp_path: Path
) -> None:
    document = deployment.client.upload(contract)
    deployment.network.fails("GET", STORE, answered_with(200))
    with pytest.raises(Damaged):
        deployment.client.download(document.id, tmp_path / "copy.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["contract.txt"]


def test_a_download_replaces_a_file_only_if_told(deployment: Deployment, contract: Path) -> None:
    document = deployment.client.upload(b"new", name="contract.txt")
    with pytest.raises(FileExistsError):
        deployment.client.download(document.id, contract.parent)
    assert contract.read_bytes() == TEXT
    deployment.client.download(document.id, contract.parent, replace=True)
    assert contract.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b\\c.txt", "a_b_c.txt"),
        ("..", "__"),
        ("é" * 200 + ".pdf", "é" * 125 + ".pdf"),
        ("x" * 300, "x" * 255),
        ("👨‍👩‍👧.txt", "👨‍👩‍👧.txt"),
    ],
)
def test_the_name_of_a_document_becomes_a_file_name_of_one_level(name: str, expected: str) -> None:
    assert file_name(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.pdf", "application/pdf"),
        ("a.tar.gz", "application/gzip"),
        ("a.unknown-ending", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_the_media_type_follows_from_the_name(name: str, expected: str) -> None:
    assert guess_type(name) == expected
