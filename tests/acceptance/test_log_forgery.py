"""A request id that a client sends can neither come back as something else nor write a line of the log."""

import os
import random
import re
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from .client import ULID, UNKNOWN_DOCUMENT_ID, Client, together
from .keys import KEYS
from .raw import ask
from .service import Server, fresh_data_dir, postgres_processes
from .tenants import Tenants

pytestmark = [
    pytest.mark.skipif("ACCEPTANCE_BASE_URL" in os.environ, reason="reads the log of a server of its own"),
    pytest.mark.timeout(120),
]
ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"
ROUTES = [("POST", "/v1/documents"), ("GET", ONE), ("POST", KEYS), ("GET", "/v1/nothing")]
MARK = b"forged"
"""Every hostile id has it, and nothing else does."""
TRICKS = [
    *(b"\r", b"\n", b"\r\n", b"\r\n ", b"\r\n\t", b"\x00", b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x1b[31m", b"\x1b[2J"),
    *(b"\x1b]0;x\x07", b"\x1b[1A\x1b[2K", b"\x7f", b"\x80", b"\x85", b"\x9b31m", b"\xc2\x85", b"\xc2\x9b31m"),
    *(b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xff", b"\xc0\x8a", b"\xc4\x8a"),
    *(b"%0a", b"%0d%0a", b"\\n", b"\\r\\n", b"\\u000a", b"&#10;", b"%s%n", b"%(message)s", b"{0}", b"{x.__class__}"),
    *(b"${jndi:ldap://127.0.0.1/x}", b'","level":"error', b"' OR 1=1 --", b"<script>", b"x" * 129, b"=", b" ", b"\t"),
]


def hostile_ids() -> list[bytes]:
    """At least 200: each trick before, between, behind and around what looks like a line of the log."""
    chance = random.Random(33)
    ids = []
    for number, trick in enumerate(TRICKS):
        line = b"ERROR dossier.http %s%d unexpected error" % (MARK, number)
        ids += [trick + line, MARK + trick + line, line + trick, trick + MARK + trick]
        ids.append(MARK + b"".join(chance.sample(TRICKS, 3)) + line)
    return ids


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with fresh_data_dir() as data_dir, closing(Server(data_dir)) as server:
        server.start()
        yield server


@pytest.fixture(scope="module")
def owner(server: Server) -> Iterator[Client]:
    with closing(Tenants(server.base_url, server.cli)) as tenants:
        yield tenants.client()


def sent(owner: Client, request_id: bytes) -> list[tuple[str, bytes]]:
    return [("Authorization", f"Bearer {owner.key}".encode()), ("X-Request-ID", request_id)]


def test_there_are_two_hundred_of_them() -> None:
    assert len(set(hostile_ids())) >= 200
    assert not any(re.fullmatch(rb"[A-Za-z0-9._-]{1,128}", request_id) for request_id in hostile_ids())


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_hostile_id_is_replaced_or_refused(owner: Client, method: str, path: str) -> None:
    for request_id in hostile_ids():
        answer = ask(owner.base_url, method, path.encode(), sent(owner, request_id), b"{}")
        assert answer is not None, request_id
        ours = answer.headers["x-request-id"]
        # Up to a line break it may be a well-formed id, which is kept: the rest is another header.
        first = re.split(rb"\r\n", request_id)[0].strip(b" \t").decode("latin-1")
        assert re.fullmatch(f"req_{ULID}", ours) or (ours == first and re.fullmatch("[A-Za-z0-9._-]+", first)), ours
        assert answer.status in {400, 403, 404, 415}, (request_id, answer.status)
        assert not set(answer.headers) & {"error dossier.http", "x"}
        assert b"unexpected error" not in answer.body


@contextmanager
def database_stands_still(server: Server) -> Iterator[None]:
    """Then the server cannot answer, and names in its log each request that it could not."""
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


def test_no_line_of_the_log_begins_with_what_was_sent(server: Server, owner: Client) -> None:
    ids = [*hostile_ids(), b"harmless-01"]
    calls = [partial(ask, owner.base_url, "GET", ONE.encode(), sent(owner, request_id)) for request_id in ids]
    with database_stands_still(server):
        statuses = [answer.status for answer in together(calls) if answer is not None]
    log = server.log.read_bytes()
    assert b"harmless-01" in log, "the server names no request, so this would find nothing"
    assert statuses.count(503) > 100
    assert len(statuses) == len(ids)
    for line in re.split(rb"[\r\n\x0b\x0c\x85]|\xe2\x80[\xa8\xa9]", log):
        assert not line.lstrip().startswith((MARK, b"ERROR dossier.http " + MARK)), line
        assert b"unexpected error" not in line
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", log)
