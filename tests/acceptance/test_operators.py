"""The command line, while a server runs."""

import json
import os
import re
from uuid import uuid4

import pytest

from .client import ULID, UNKNOWN_API_KEY_ID, UNKNOWN_DOCUMENT_ID, Client, data_of, error_of
from .documents import document_path, rows
from .keys import KEYS, mint, minted, revoke
from .operations import SIGN_UPLOAD
from .service import Cli, eventually
from .tenants import Tenants

pytestmark = pytest.mark.server
UNKNOWN_WORKSPACE_ID = "ws_01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_the_command_line_and_the_api_share_the_names_and_lists_of_api_keys(tenants: Tenants, manager: Client) -> None:
    words = ["keys", "create", "--workspace", manager.workspace, "--permission", "read:documents", "--name"]
    of_the_api, name = minted(manager), f"k-{uuid4()}"
    refused = tenants.cli.run(*words, of_the_api["name"], "--json")
    assert refused.returncode == 1
    assert "name" in refused.stderr
    assert "wbk_" not in refused.stdout + refused.stderr
    made = tenants.cli.ask(*words, name, "--expires-at", "2999-01-01")
    row = rows(manager, path=KEYS)[0]
    assert (row["id"], row["prefix"], row["rate_limit_tier"]) == (made["id"], made["key"][:8], "standard")
    assert row["expires_at"] == "2999-01-01T00:00:00Z"
    error_of(mint(manager, name=name), 409, "duplicate_name")
    listed = tenants.cli.run("keys", "list", "--workspace", manager.workspace, "--json").stdout
    assert made["id"] in listed
    assert not any(key in listed for key in (made["key"], of_the_api["key"]))
    assert revoke(manager, made["id"]).status_code == 204
    minted(manager, name=name)


def test_a_workspace_needs_only_a_name_and_the_command_prints_plain_text(tenants: Tenants) -> None:
    done = tenants.cli.run("workspace", "create", f"w-{uuid4()}")
    assert done.returncode == 0, done.stderr
    assert not done.stdout.startswith("{")
    workspace = re.search(f"ws_{ULID}", done.stdout)
    assert workspace
    assert workspace[0] in str(tenants.cli.ask("workspace", "list"))
    tenants.client(workspace[0]).recorded()


def test_an_update_of_a_workspace_applies_at_once_to_the_running_server(tenants: Tenants) -> None:
    client = tenants.client(quota="2GB", plan="starter", tier="standard")
    path = client.upload(b"hello")
    for quota, size in (("", 2 * 10**9), ("2GiB", 2 * 2**30), ("4", 4)):
        if quota:
            tenants.operator.set_quota(client.workspace, quota)
        refused = client.post(SIGN_UPLOAD.path, {"name": "a", "mime_type": "a/b", "size_bytes": 5 * 10**9})
        assert error_of(refused, 403, "quota_exceeded")["details"]["limit_bytes"] == size
    tenants.cli.ask("workspace", "update", client.workspace, "--quota", "5", "--plan", "pro")
    data_of(client.record(path), 201)

    def is_pro() -> bool:
        return client.get(document_path(UNKNOWN_DOCUMENT_ID)).headers["X-RateLimit-Limit"] == "50"

    eventually(is_pro, 10, "the limit of the plan in the headers")


@pytest.mark.parametrize(
    "command",
    [
        *("workspace create x --plan gold", "workspace create x --quota 10XB"),
        f"workspace update {UNKNOWN_WORKSPACE_ID} --quota 5",
        "keys create --name k --workspace x --permission read:documents",
        f"keys create --name k --workspace {UNKNOWN_WORKSPACE_ID} --permission read:documents --expires-at soon",
        *(f"keys revoke {UNKNOWN_API_KEY_ID}", "keys revoke nonsense"),
    ],
)
def test_a_mistake_is_explained_on_standard_error_with_a_nonzero_exit_code(tenants: Tenants, command: str) -> None:
    done = tenants.cli.run(*command.split(), "--json")
    assert done.returncode != 0, done.stdout
    assert re.search(r"\w+ \w+", done.stderr), done
    for text in ("Traceback", "wbk_", "Error("):
        assert text not in done.stdout + done.stderr


def test_migrate_doctor_and_help_work_beside_a_server_and_doctor_reports_a_wrong_setting(tenants: Tenants) -> None:
    tenants.cli.ask("migrate")
    tenants.cli.ask("doctor")
    shown = tenants.cli.run("--help").stdout
    assert all(word in shown for word in ("serve", "migrate", "workspace", "keys", "doctor"))
    wrong = Cli(tenants.cli.prefix, (tenants.cli.env or dict(os.environ)) | {"DOSSIER_PUBLIC_URL": "nonsense"})
    done = wrong.run("doctor", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    assert "DOSSIER_PUBLIC_URL" in answer["checks"][0]["found"]
