"""The command line, beside a running server."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from .client import ULID, UNKNOWN_DOCUMENT_ID, Client, data_of, error_of
from .keys import has_checksum
from .service import Cli, eventually
from .tenants import Tenants

ONE = f"/v1/documents/{UNKNOWN_DOCUMENT_ID}"


def complains(done: subprocess.CompletedProcess[str]) -> None:
    """It failed, and said why to a person."""
    assert done.returncode != 0, done.stdout
    assert re.search(r"\w+ \w+", done.stderr), done
    assert "Traceback" not in done.stdout + done.stderr
    assert "Error(" not in done.stderr


def test_a_workspace_and_a_key_have_ids_and_the_key_is_shown(tenants: Tenants, home: Client) -> None:
    key = tenants.api_key(home.workspace)
    assert re.fullmatch(f"ws_{ULID}", home.workspace)
    assert re.fullmatch(f"key_{ULID}", key.id)
    assert re.fullmatch("wbk_[0-9A-Za-z]{38}", key.key)
    assert has_checksum(key.key)


def test_a_workspace_needs_only_a_name_and_without_json_the_answer_is_for_people(tenants: Tenants) -> None:
    done = tenants.cli.run("workspace", "create", f"w-{uuid4()}")
    assert done.returncode == 0, done.stderr
    assert not done.stdout.startswith("{")
    workspace = re.search(f"ws_{ULID}", done.stdout)
    assert workspace
    tenants.client(workspace[0]).recorded()


def test_workspaces_and_keys_are_listed_and_no_key_is_shown(tenants: Tenants, home: Client) -> None:
    assert home.workspace in str(tenants.cli.ask("workspace", "list"))
    key = tenants.api_key(home.workspace)
    listed = tenants.cli.run("keys", "list", "--workspace", home.workspace, "--json")
    if listed.returncode == 2:  # no such option: then all keys are listed
        listed = tenants.cli.run("keys", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert key.id in listed.stdout
    assert key.key not in listed.stdout
    assert (home.key or "-") not in listed.stdout


def test_a_quota_is_bytes_or_has_a_unit(tenants: Tenants) -> None:
    client = tenants.client(quota="2GB")
    body = {"name": "a", "mime_type": "a/b", "size_bytes": 5 * 10**9}
    for quota, size in (("", 2 * 10**9), ("2GiB", 2 * 2**30), ("1000", 1000)):
        if quota:
            tenants.cli.ask("workspace", "update", client.workspace, "--quota", quota)
        refused = client.post("/v1/documents/upload-url", body)
        assert error_of(refused, 403, "quota_exceeded")["details"]["limit_bytes"] == size


def test_an_update_holds_at_once_for_the_running_server(tenants: Tenants) -> None:
    client = tenants.client(quota="3", plan="starter", tier="standard")
    path = client.upload(b"hello")
    error_of(client.record(path), 403, "quota_exceeded")
    tenants.cli.ask("workspace", "update", client.workspace, "--quota", "5", "--plan", "pro")
    data_of(client.record(path), 201)

    def is_pro() -> bool:
        return client.get(ONE).headers["X-RateLimit-Limit"] == "50"

    eventually(is_pro, 2, "the plan's limit in the headers")


def test_a_key_works_at_once_until_it_is_revoked_and_two_seconds_later_not_any_more(
    tenants: Tenants, home: Client
) -> None:
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = tenants.api_key(home.workspace, expires_at=in_an_hour)
    client = tenants.connect(key.key, admitted=False)
    assert client.get(ONE).status_code == 404
    tenants.cli.ask("keys", "revoke", key.id)
    eventually(lambda: client.get(ONE).status_code == 401, 2, "401 for the revoked key")
    assert home.get(ONE).status_code == 404


def test_migrate_and_doctor_are_content_with_a_running_server(tenants: Tenants, home: Client) -> None:
    tenants.cli.ask("migrate")
    tenants.cli.ask("doctor")
    home.recorded()


@pytest.mark.parametrize(
    "words",
    [
        ["workspace", "create", "x", "--plan", "gold"],
        ["workspace", "create", "x", "--quota", "lots"],
        ["workspace", "create", "x", "--quota", "10XB"],
        ["workspace", "create", "x", "--quota", "-5"],
        ["workspace", "update", "ws_01ARZ3NDEKTSV4RRFFQ69G5FAV", "--quota", "5"],
        ["workspace", "update", "nonsense", "--quota", "5"],
        ["keys", "create", "--workspace", "{workspace}", "--name", "k", "--permission", "read:everything"],
        ["keys", "create", "--workspace", "{workspace}", "--name", "k"],
        [
            "keys",
            "create",
            "--workspace",
            "ws_01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "--name",
            "k",
            "--permission",
            "read:documents",
        ],
        ["keys", "create", "--workspace", "nonsense", "--name", "k", "--permission", "read:documents"],
        [
            "keys",
            "create",
            "--workspace",
            "{workspace}",
            "--name",
            "k",
            "--permission",
            "read:documents",
            "--tier",
            "turbo",
        ],
        [
            "keys",
            "create",
            "--workspace",
            "{workspace}",
            "--name",
            "k",
            "--permission",
            "read:documents",
            "--expires-at",
            "soon",
        ],
        ["keys", "revoke", "key_01ARZ3NDEKTSV4RRFFQ69G5FAV"],
        ["keys", "revoke", "nonsense"],
    ],
    ids=" ".join,
)
def test_a_mistake_ends_in_words_on_standard_error_and_not_in_zero(
    tenants: Tenants, home: Client, words: list[str]
) -> None:
    done = tenants.cli.run(*(word.replace("{workspace}", home.workspace) for word in words), "--json")
    complains(done)
    assert "wbk_" not in done.stdout + done.stderr


def test_help_is_there_without_any_setting(tenants: Tenants) -> None:
    done = tenants.cli.run("--help")
    assert done.returncode == 0
    for word in ("serve", "migrate", "workspace", "keys", "doctor"):
        assert word in done.stdout


def test_doctor_tells_wrong_settings_as_it_tells_everything(tenants: Tenants) -> None:
    cli = Cli(tenants.cli.prefix, (tenants.cli.env or dict(os.environ)) | {"DOSSIER_PUBLIC_URL": "nonsense"})
    done = cli.run("doctor", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    assert "DOSSIER_PUBLIC_URL" in answer["checks"][0]["found"]
