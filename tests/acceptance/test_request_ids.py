"""A well-formed request id of a client is returned unchanged, and no request id can add a line to the log."""

import json
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from .client import ULID, UNKNOWN_DOCUMENT_ID, Client, together
from .documents import document_path
from .operations import OPERATIONS
from .raw import ask
from .service import Server, postgres_processes
from .tenants import Tenants

UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)
NOT_THE_API = ["/v1/nothing", "/health/live", "/openapi.json", "/docs"]


@pytest.mark.parametrize("request_id", ["A-Z.a_z-09", "x" * 128])
def test_a_well_formed_request_id_is_kept(home: Client, request_id: str) -> None:
    requests = [(operation.method, operation.unknown_path) for operation in OPERATIONS]
    for method, path in [*requests, *(("GET", path) for path in NOT_THE_API)]:
        answer = home.request(method, path, headers={"X-Request-ID": request_id})
        assert answer.headers["X-Request-ID"] == request_id
        assert answer.status_code < 400 or answer.json()["error"]["request_id"] == request_id


def test_any_other_request_id_is_replaced(home: Client) -> None:
    for request_id in ("", "x" * 129, "a b", "a\tb", "a/b", "a:b", "a,b", "a%0ab", '"a"', "{}", "a=b", "x.wbk_1"):
        answer = home.get(UNKNOWN_DOCUMENT, {"X-Request-ID": request_id})
        assert re.fullmatch(f"req_{ULID}", answer.headers["X-Request-ID"]), request_id


# These tests run on a server whose log they can read.

MARK = b"forged"
"""The text that every hostile id contains, and that occurs nowhere else."""
TRICKS = [
    *(b"\r", b"\n", b"\r\n", b"\r\n ", b"\r\n\t", b"\x00", b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x1b[31m", b"\x1b[2J"),
    *(b"\x1b]0;x\x07", b"\x1b[1A\x1b[2K", b"\x7f", b"\x80", b"\x85", b"\x9b31m", b"\xc2\x85", b"\xc2\x9b31m"),
    *(b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xff", b"\xc0\x8a", b"\xc4\x8a"),
    *(b"%0a", b"%0d%0a", b"\\n", b"\\r\\n", b"\\u000a", b"&#10;", b"%s%n", b"%(message)s", b"{0}", b"{x.__class__}"),
    *(b"${jndi:ldap://127.0.0.1/x}", b'","level":"error', b"' OR 1=1 --", b"<script>", b"x" * 129, b"=", b" ", b"\t"),
]


def hostile_ids() -> list[bytes]:
    """Return at least 200 hostile ids. Each trick is combined with a forged log line in four ways."""
    chance = random.Random(33)
    ids = []
    for number, trick in enumerate(TRICKS):
        line = b"ERROR dossier.http %s%d unexpected error" % (MARK, number)
        ids += [trick + line, MARK + trick + line, line + trick, trick + MARK + trick]
        ids.append(MARK + b"".join(chance.sample(TRICKS, 3)) + line)
    assert len(set(ids)) >= 200
    assert not any(re.fullmatch(rb"[A-Za-z0-9._-]{1,128}", request_id) for request_id in ids)
    return ids


@pytest.fixture(scope="module")
def owner(own_tenants: Tenants) -> Client:
    return own_tenants.client()


def with_id(owner: Client, request_id: bytes) -> list[tuple[str, bytes]]:
    return [("Authorization", f"Bearer {owner.key}".encode()), ("X-Request-ID", request_id)]


@contextmanager
def database_stopped(server: Server) -> Iterator[None]:
    """Stop the database with signals. The server logs the id of each request that it then cannot answer."""
    lines = [line.split(": ", 1) for line in postgres_processes(server.data_dir)]
    ids = [int(number) for number, line in lines if line.startswith("postgres:") or "bin/postgres" in line]
    assert ids
    for number in ids:
        os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        for number in ids:
            os.kill(number, signal.SIGCONT)


@pytest.mark.server
@pytest.mark.timeout(120)
def test_a_hostile_request_id_is_replaced_or_refused_and_begins_no_log_line(own_server: Server, owner: Client) -> None:
    ids = [*hostile_ids(), b"harmless-01"]
    path = UNKNOWN_DOCUMENT.encode()
    calls = [partial(ask, owner.base_url, "GET", path, with_id(owner, request_id)) for request_id in ids]
    with database_stopped(own_server):
        answers = together(calls)
    statuses = Counter(answer.status for answer in answers if answer is not None)
    assert statuses.keys() <= {400, 503}
    assert statuses[503] > 100
    for request_id, answer in zip(ids, answers, strict=True):
        assert answer is not None, request_id
        ours = answer.headers["x-request-id"]
        # Up to a line break it may be a well-formed id, which is kept: the rest is another header.
        first = re.split(rb"\r\n", request_id)[0].strip(b" \t").decode("latin-1")
        assert re.fullmatch(f"req_{ULID}", ours) or (ours == first and re.fullmatch("[A-Za-z0-9._-]+", first)), ours
        assert not set(answer.headers) & {"error dossier.http", "x"}
        assert json.loads(answer.body)["error"]["request_id"] == ours
    log = own_server.log.read_bytes()
    assert b"harmless-01" in log, "the log has no request id, so this would find nothing"
    for line in re.split(rb"[\r\n\x0b\x0c\x85]|\xe2\x80[\xa8\xa9]", log):
        assert not line.lstrip().startswith((MARK, b"ERROR dossier.http " + MARK)), line
        assert b"unexpected error" not in line
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", log)
