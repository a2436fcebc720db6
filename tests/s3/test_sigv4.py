"""Our signatures are botocore's own, whatever is signed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from adapters.s3.headers import in_lower_case, upload_headers
from adapters.s3.sigv4 import Credentials, presign
from domain.ids import WorkspaceId
from domain.paths import storage_path

# The grammar of storage paths, in which every character is one that some encoder treats in its own way.
_CHARACTERS = "aZ09!-_.*'()&$@=;:+, "
_segments = st.text(_CHARACTERS, min_size=1, max_size=20).map(lambda text: "x" + text.rstrip() + "x")
paths = st.lists(_segments, min_size=1, max_size=5).map(
    lambda segments: storage_path("workspaces/ws_1/" + "/".join(segments), WorkspaceId("ws_1"))
)
# Any text that can be encoded: what a document can be called, and more.
texts = st.text(st.characters(codec="utf-8"), max_size=40)
names = st.sampled_from(["content-type", "if-none-match", "x-amz-checksum-sha256", "x-amz-checksum-mode", "range"])
headers = st.dictionaries(names, st.text(st.characters(codec="latin-1"), min_size=1, max_size=40))
queries = st.dictionaries(
    st.sampled_from(["versionId", "response-content-type", "response-content-disposition", "uploads"]), texts
)
credentials = st.builds(
    Credentials,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=24),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
    st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=400),
)
times = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - that is what it takes
hosts = st.sampled_from(["acme.s3.eu-central-1.amazonaws.com", "127.0.0.1:9000", "[::1]:9000", "files.example.com"])
regions = st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"])


def signed_by_botocore(
    method: str,
    host: str,
    path: str,
    *,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    at: datetime,
    lifetime_seconds: int,
    credentials: Credentials,
    region: str,
) -> str:
    """The URL, by the signer of the library that everybody uses."""
    lent = BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    encoded = "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in query.items())
    request = AWSRequest(method, f"http://{host}{quote(path)}?{encoded}", headers=dict(headers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
        botocore.auth.S3SigV4QueryAuth(lent, "s3", region, expires=lifetime_seconds).add_auth(request)
    return str(request.url)


def parts(url: str) -> tuple[str, frozenset[str]]:
    """The path as it is sent, and the parameters, whose order says nothing."""
    split = urlsplit(url)
    return split.path, frozenset(split.query.split("&"))


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["PUT", "GET", "HEAD"]),
    host=hosts,
    path=paths,
    query=queries,
    headers=headers,
    at=times,
    lifetime_seconds=st.integers(1, 604_800),
    credentials=credentials,
    region=regions,
)
def test_what_we_sign_is_what_botocore_signs(
    method: str,
    host: str,
    path: str,
    query: dict[str, str],
    headers: dict[str, str],
    at: datetime,
    lifetime_seconds: int,
    credentials: Credentials,
    region: str,
) -> None:
    ours = presign(
        method, host, "/acme/" + path, query=query, headers=headers, at=at, lifetime_seconds=lifetime_seconds,
        credentials=credentials, region=region,
    )  # fmt: skip
    theirs = signed_by_botocore(
        method, host, "/acme/" + path, query=query, headers=headers, at=at, lifetime_seconds=lifetime_seconds,
        credentials=credentials, region=region,
    )  # fmt: skip
    assert parts(ours) == parts(theirs)


@given(path=paths, disposition=texts)
def test_a_signed_url_is_sent_as_it_was_signed(path: str, disposition: str) -> None:
    url = "http://127.0.0.1:9000" + presign(
        "GET",
        "127.0.0.1:9000",
        "/acme/" + path,
        query={"response-content-disposition": disposition},
        headers={},
        at=datetime(2026, 4, 17, tzinfo=UTC),
        lifetime_seconds=900,
        credentials=Credentials("AKID", "secret"),
        region="us-east-1",
    )
    assert str(URL(url, encoded=True)) == url
    assert url.isascii()
    assert " " not in url


def test_secrets_are_not_in_what_is_printed() -> None:
    printed = repr(Credentials("AKID", "the secret", "the token"))
    assert "secret" not in printed.replace("secret_key", "")
    assert "token" not in printed


def test_every_upload_binds_type_length_checksum_and_that_nothing_is_there() -> None:
    url = presign(
        "PUT",
        "h",
        "/a",
        query={},
        headers=in_lower_case(upload_headers("application/pdf", 7, "ab" * 32)),
        at=datetime(2026, 4, 17, tzinfo=UTC),
        lifetime_seconds=900,
        credentials=Credentials("A", "b"),
        region="us-east-1",
    )
    bound = (
        "content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-checksum-sha256%3Bx-amz-sdk-checksum-algorithm"
    )
    assert f"X-Amz-SignedHeaders={bound}&" in url
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256&" in url
