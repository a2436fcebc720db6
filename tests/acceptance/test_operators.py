"""The command line, beside a running server."""

import json
import os
import re
from uuid import uuid4

import pytest

from .client import ULID, UNKNOWN_API_KEY_ID, UNKNOWN_DOCUMENT_ID, Client, data_of, error_of
from .documents import document_path
from .keys import has_checksum
from .operations import SIGN_UPLOAD
from .service import Cli, eventually
from .tenants import Tenants

pytestmark = pytest.mark.server
UNKNOWN_WORKSPACE_ID = "ws_01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_workspaces_and_api_keys_have_ids_and_a_list_shows_no_key(tenants: Tenants, home: Client) -> None:
    api_key = tenants.api_key(home.workspace)
    assert re.fullmatch(f"ws_{ULID}", home.workspace)
    assert re.fullmatch(f"key_{ULID}", api_key.id)
    assert re.fullmatch("wbk_[0-9A-Za-z]{38}", api_key.key)
    assert has_checksum(api_key.key)
    assert home.workspace in str(tenants.cli.ask("workspace", "list"))
    listed = tenants.cli.run("keys", "list", "--workspace", home.workspace, "--json")
    assert listed.returncode == 0, listed.stderr
    assert api_key.id in listed.stdout
    assert api_key.key not in listed.stdout
    assert (home.key or "-") not in listed.stdout


def test_a_workspace_needs_only_a_name_and_without_json_the_answer_is_for_people(tenants: Tenants) -> None:
    done = tenants.cli.run("workspace", "create", f"w-{uuid4()}")
    assert done.returncode == 0, done.stderr
    assert not done.stdout.startswith("{")
    workspace = re.search(f"ws_{ULID}", done.stdout)
    assert workspace
    tenants.client(workspace[0]).recorded()


def test_a_quota_is_bytes_or_has_a_unit(tenants: Tenants) -> None:
    client = tenants.client(quota="2GB")
    body = {"name": "a", "mime_type": "a/b", "size_bytes": 5 * 10**9}
    for quota, size in (("", 2 * 10**9), ("2GiB", 2 * 2**30), ("1000", 1000)):
        if quota:
            tenants.operator.set_quota(client.workspace, quota)
        refused = client.post(SIGN_UPLOAD.path, body)
        assert error_of(refused, 403, "quota_exceeded")["details"]["limit_bytes"] == size


def test_an_update_holds_at_once_for_the_running_server(tenants: Tenants) -> None:
    client = tenants.client(quota="3", plan="starter", tier="standard")
    path = client.upload(b"hello")
    error_of(client.record(path), 403, "quota_exceeded")
    tenants.cli.ask("workspace", "update", client.workspace, "--quota", "5", "--plan", "pro")
    data_of(client.record(path), 201)

    def is_pro() -> bool:
        return client.get(document_path(UNKNOWN_DOCUMENT_ID)).headers["X-RateLimit-Limit"] == "50"

    eventually(is_pro, 2, "the limit of the plan in the headers")


def test_migrate_and_doctor_succeed_beside_a_running_server(tenants: Tenants, home: Client) -> None:
    tenants.cli.ask("migrate")
    tenants.cli.ask("doctor")
    home.recorded()


CREATE_KEY = "keys create --name k --workspace"
READ = "--permission read:documents"


@pytest.mark.parametrize(
    "command",
    [
        *("workspace create x --plan gold", "workspace create x --quota lots", "workspace create x --quota 10XB"),
        *("workspace create x --quota -5", f"workspace update {UNKNOWN_WORKSPACE_ID} --quota 5"),
        *("workspace update nonsense --quota 5", f"{CREATE_KEY} WORKSPACE", f"{CREATE_KEY} nonsense {READ}"),
        *(f"{CREATE_KEY} WORKSPACE --permission read:everything", f"{CREATE_KEY} {UNKNOWN_WORKSPACE_ID} {READ}"),
        *(f"{CREATE_KEY} WORKSPACE {READ} --tier turbo", f"{CREATE_KEY} WORKSPACE {READ} --expires-at soon"),
        *(f"keys revoke {UNKNOWN_API_KEY_ID}", "keys revoke nonsense"),
    ],
)
def test_a_mistake_ends_in_words_on_standard_error_and_not_in_zero(
    tenants: Tenants, home: Client, command: str
) -> None:
    done = tenants.cli.run(*command.replace("WORKSPACE", home.workspace).split(), "--json")
    assert done.returncode != 0, done.stdout
    assert re.search(r"\w+ \w+", done.stderr), done
    for text in ("Traceback", "wbk_"):
        assert text not in done.stdout + done.stderr
    assert "Error(" not in done.stderr


def test_help_needs_no_setting_and_doctor_reports_a_wrong_one(tenants: Tenants) -> None:
    done = tenants.cli.run("--help")
    assert done.returncode == 0
    for word in ("serve", "migrate", "workspace", "keys", "doctor"):
        assert word in done.stdout
    wrong = Cli(tenants.cli.prefix, (tenants.cli.env or dict(os.environ)) | {"DOSSIER_PUBLIC_URL": "nonsense"})
    done = wrong.run("doctor", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    assert "DOSSIER_PUBLIC_URL" in answer["checks"][0]["found"]
