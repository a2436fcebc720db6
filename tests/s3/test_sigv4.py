"""Presigned URLs are the same as botocore's, whatever is signed."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from adapters.s3.sigv4 import Credentials, presign
from domain.ids import WorkspaceId
from domain.paths import storage_path

# Every character that a storage path allows and that some encoder treats differently.
_CHARACTERS = "aZ09!-_.*'()&$@=;:+, "
_segments = st.text(_CHARACTERS, min_size=1, max_size=20).map(lambda text: "x" + text.rstrip() + "x")
paths = st.lists(_segments, min_size=1, max_size=5).map(
    lambda segments: storage_path("workspaces/ws_1/" + "/".join(segments), WorkspaceId("ws_1"))
)
texts = st.text(st.characters(codec="utf-8"), max_size=40)
visible = st.characters(min_codepoint=33, max_codepoint=126)
credentials = st.builds(
    Credentials,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=24),
    st.text(visible, min_size=1, max_size=60),
    st.none() | st.text(visible, min_size=1, max_size=400),
)
terms = st.fixed_dictionaries(
    {
        "query": st.dictionaries(
            st.sampled_from(["versionId", "response-content-type", "response-content-disposition", "uploads"]), texts
        ),
        "headers": st.dictionaries(
            st.sampled_from(["content-type", "if-none-match", "x-amz-checksum-sha256", "x-amz-checksum-mode", "range"]),
            st.text(st.characters(codec="latin-1"), min_size=1, max_size=40),
        ),
        "at": st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "lifetime_seconds": st.integers(1, 604_800),
        "credentials": credentials,
        "region": st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"]),
    }
)


def botocore_presign(method: str, host: str, path: str, **terms: Any) -> str:
    credentials, at = terms["credentials"], terms["at"]
    lent = BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    encoded = "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in terms["query"].items())
    request = AWSRequest(method, f"http://{host}{quote(path)}?{encoded}", headers=dict(terms["headers"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
        botocore.auth.S3SigV4QueryAuth(lent, "s3", terms["region"], expires=terms["lifetime_seconds"]).add_auth(request)
    return str(request.url)


def parts(url: str) -> tuple[str, frozenset[str]]:
    """Return the encoded path, and the encoded parameters, whose order has no meaning."""
    split = urlsplit(url)
    return split.path, frozenset(split.query.split("&"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["PUT", "GET", "HEAD"]),
    host=st.sampled_from(["acme.s3.eu-central-1.amazonaws.com", "127.0.0.1:9000", "[::1]:9000", "files.example.com"]),
    path=paths,
    terms=terms,
)
def test_every_url_is_signed_as_botocore_signs_it(method: str, host: str, path: str, terms: dict[str, Any]) -> None:
    signed = presign(method, host, "/acme/" + path, **terms)
    assert parts(signed) == parts(botocore_presign(method, host, "/acme/" + path, **terms))
    assert signed.isascii()
    assert " " not in signed
    url = "http://127.0.0.1:9000" + signed
    assert str(URL(url, encoded=True)) == url


def test_credentials_are_printed_without_secrets() -> None:
    printed = repr(Credentials("AKID", "the secret", "the token"))
    assert "secret" not in printed.replace("secret_key", "")
    assert "token" not in printed
