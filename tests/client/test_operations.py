"""The operations of the Python client, once each, and how it takes refusals."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

import dossier_client
from dossier_client import (
    ApiError,
    Client,
    Conflict,
    InvalidKey,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Unavailable,
    ValidationFailed,
)
from tests.client.conftest import Deployment
from tests.client.network import answer_lost, answered_with


def test_each_operation_of_the_api_has_a_method(deployment: Deployment) -> None:
    client = deployment.client
    document = client.upload(b"hello", name="a.txt", folder="/a/b", tags=["x"], description="first")
    read = client.get(document.id)
    assert read.download_url is not None
    assert read.download_url_expires_at > datetime.now(UTC)
    assert client.get(document.id, download=False).download_url is None

    changed = client.update(document.id, {"description": None, "name": "b.txt"}, if_match=read.etag)
    assert (changed.name, changed.description, changed.tags) == ("b.txt", None, ("x",))
    with pytest.raises(PreconditionFailed):
        client.update(document.id, {"name": "c.txt"}, if_match=read.etag)

    link = client.link(document.id, "company", "M-2026/17", role="signed")
    assert [row.role for row in client.linked_documents("company", "M-2026/17")] == ["signed"]
    assert client.get(document.id).linked_entities[0].entity_id == "M-2026/17"
    client.unlink(document.id, link.link_id)
    assert client.linked_documents("company", "M-2026/17") == ()

    assert [row.folder for row in client.folders()] == ["/a"]
    assert client.move_folder("/a", "/c").documents == 1
    with pytest.raises(Conflict) as caught:
        client.delete_folder("/c")
    assert caught.value.code == "in_use"
    assert [(tag.name, tag.count) for tag in client.tags()] == [("x", 1)]
    assert client.usage().used_bytes == 5

    client.delete(document.id, hard=True)
    client.delete_folder("/c")
    with pytest.raises(NotFound):
        client.get(document.id)


def test_an_api_key_is_created_shown_once_and_revoked(deployment: Deployment) -> None:
    client = deployment.client
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    deployment.network.fails("POST", "/v1/api-keys", answer_lost)
    made = client.create_api_key("form", ["write:documents"], expires_at=ends)
    assert made.key.startswith("wbk_")
    assert made.expires_at == ends
    assert [key.name for key in client.api_keys(search="form")] == ["form"]
    client.revoke_api_key(made.id)
    assert client.api_keys(search="form") == ()
    assert client.api_keys(search="form", include_revoked=True)[0].revoked_at is not None


def test_a_walk_yields_each_document_that_passes_the_filters_once(deployment: Deployment) -> None:
    client = deployment.client
    uploaded = [client.upload(b"x", name=f"{number}.txt", folder="/in", tags=["a", "b"]).id for number in range(5)]
    client.upload(b"x", name="other.txt")
    found = [document.id for document in client.walk(folder="/in", tags=["a", "b"], per_page=2, search="txt")]
    assert found == uploaded[::-1]


def test_a_refusal_names_each_wrong_member(deployment: Deployment) -> None:
    with pytest.raises(ValidationFailed) as caught:
        deployment.client.request_upload_url("", "nonsense")
    error = caught.value
    assert error.status == 400
    assert set(error.fields) == {"name", "mime_type"}
    assert error.request_id is not None
    assert "mime_type" in str(error)


@pytest.mark.parametrize(
    ("status", "error"), [(404, ApiError), (502, Unavailable)], ids=["a proxy's page", "a proxy without its server"]
)
def test_an_answer_that_is_not_of_dossier_is_an_error_too(
    deployment: Deployment, status: int, error: type[Exception]
) -> None:
    deployment.network.fails("GET", "/v1/usage", *[answered_with(status)] * 100)
    with pytest.raises(error, match=str(status)):
        deployment.client.usage()


def test_a_wrong_api_key_is_refused_at_once(deployment: Deployment) -> None:
    deployment.network.fails("GET", "/v1/usage", answered_with(401))
    with pytest.raises(ApiError):
        deployment.client.usage()
    assert deployment.waits == []


def test_pauses_between_tries_grow_until_the_patience_ends(deployment: Deployment) -> None:
    deployment.network.fails("GET", "/v1/usage", *[answered_with(503)] * 100)
    with pytest.raises(Unavailable):
        deployment.client.usage()
    assert deployment.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


def test_retry_after_is_honoured_and_a_rate_limit_does_not_use_up_the_patience(deployment: Deployment) -> None:
    deployment.network.fails("GET", "/v1/usage", *[answered_with(429, Retry_After="60")] * 5)
    deployment.client.usage()
    assert len(deployment.waits) == 5
    assert min(deployment.waits) >= 60


def test_a_rate_limit_that_does_not_say_when_it_ends_uses_up_the_patience(deployment: Deployment) -> None:
    deployment.network.fails("GET", "/v1/usage", *[answered_with(429)] * 100)
    with pytest.raises(ApiError):
        deployment.client.usage()
    assert len(deployment.waits) == 6


def test_an_id_cannot_lead_to_the_path_of_another_operation(deployment: Deployment) -> None:
    document = deployment.client.upload(b"x", name="a.txt")
    with pytest.raises(NotFound):
        deployment.client.unlink(document.id, f"../../{document.id}")
    with pytest.raises(ValueError, match="part of a path"):
        deployment.client.linked_documents("matter", "..")
    with pytest.raises(ValidationFailed):
        deployment.client.linked_documents("matter", "\udce9")
    assert deployment.client.get(document.id).id == document.id


@pytest.mark.parametrize(
    ("url", "api_key"), [("dossier.example.org", "wbk_secret"), ("https://dossier.example.org", "wbk_secret\n")]
)
def test_a_url_or_an_api_key_that_cannot_be_used_is_refused_without_showing_the_key(url: str, api_key: str) -> None:
    with pytest.raises(ValueError, match=r"begins with https|no API key has") as caught:
        Client(url, api_key)
    assert "secret" not in str(caught.value)


def test_the_page_of_a_captive_portal_is_an_error(deployment: Deployment) -> None:
    for operation in (deployment.client.usage, deployment.client.find):
        deployment.network.fails("GET", "/v1/usage", answered_with(200))
        deployment.network.fails("GET", "/v1/documents", answered_with(200))
        with pytest.raises(ApiError, match="not as Dossier does"):
            operation()


def test_the_limit_of_a_day_is_reported_at_once(deployment: Deployment) -> None:
    deployment.network.fails("GET", "/v1/usage", answered_with(429, Retry_After="40000"))
    with pytest.raises(ApiError):
        deployment.client.usage()
    assert deployment.waits == []


def test_the_error_of_each_code_has_a_class(deployment: Deployment) -> None:
    assert {InvalidKey, RateLimited} < set(ApiError.__subclasses__())


@pytest.mark.parametrize("deployment", ["Client"], indirect=True)
def test_the_example_of_the_readme_runs(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dossier_client, "Client", partial(Client, transport=deployment.network))
    Path("contract.txt").write_bytes(b"Signed on Friday.\n")
    page = (Path(dossier_client.__file__).parents[1] / "README.md").read_text()
    example = page.partition("```python\n")[2].partition("```")[0]
    exec(example, {"URL": deployment.client.api.url, "KEY": deployment.client.api.api_key})
    assert capsys.readouterr().out == "contract.txt 18\n"
    assert Path("copy.txt").read_bytes() == b"Signed on Friday.\n"
