"""Who may call what: every route with every set of permissions. What is not granted is refused."""

import itertools
from typing import Any

import pytest

from .client import UNKNOWN_API_KEY_ID, UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID, Client, error_of
from .client import wrong_fields as wrong
from .documents import COLLECTIONS, DOCUMENTS, FOLDERS, TAGS, document_path
from .keys import KEYS, PERMISSIONS, mint, minted
from .tenants import Tenants

ROUTES: dict[tuple[str, str], tuple[str, str, int]] = {
    ("POST", "/v1/documents"): (DOCUMENTS, "write:documents", 400),
    ("GET", "/v1/documents"): (DOCUMENTS, "read:documents", 200),
    ("POST", "/v1/documents/upload-url"): ("/v1/documents/upload-url", "write:documents", 400),
    ("GET", "/v1/documents/{}"): (document_path(UNKNOWN_DOCUMENT_ID), "read:documents", 404),
    ("PATCH", "/v1/documents/{}"): (document_path(UNKNOWN_DOCUMENT_ID), "write:documents", 404),
    ("DELETE", "/v1/documents/{}"): (document_path(UNKNOWN_DOCUMENT_ID), "write:documents", 404),
    ("POST", "/v1/documents/{}/link"): (f"{document_path(UNKNOWN_DOCUMENT_ID)}/link", "write:documents", 400),
    ("DELETE", "/v1/documents/{}/link/{}"): (
        f"{document_path(UNKNOWN_DOCUMENT_ID)}/link/{UNKNOWN_LINK_ID}",
        "write:documents",
        404,
    ),
    **{
        ("GET", f"/v1/{collection}/{{}}/documents"): (f"/v1/{collection}/x/documents", "read:documents", 200)
        for collection in COLLECTIONS.values()
    },
    ("GET", "/v1/folders"): (FOLDERS, "read:documents", 200),
    ("PATCH", "/v1/folders"): (FOLDERS, "write:documents", 400),
    ("GET", "/v1/tags"): (TAGS, "read:documents", 200),
    ("POST", "/v1/api-keys"): (KEYS, "admin:api_keys", 400),
    ("GET", "/v1/api-keys"): (KEYS, "admin:api_keys", 200),
    ("DELETE", "/v1/api-keys/{}"): (f"{KEYS}/{UNKNOWN_API_KEY_ID}", "admin:api_keys", 404),
    ("GET", "/v1/usage"): ("/v1/usage", "read:documents", 200),
}
"""What each operation needs, and what an empty request to it is answered when it is allowed."""

SUBSETS = [set(some) for size in range(5) for some in itertools.combinations(PERMISSIONS, size)]


def operations(openapi: dict[str, Any]) -> set[tuple[str, str]]:
    """The API's, with every parameter of a path written {}."""
    found = set()
    for path, item in openapi["paths"].items():
        pattern = "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
        found |= {(method.upper(), pattern) for method in item if path.startswith("/v1/") and method != "parameters"}
    return found


def test_the_table_has_every_operation_of_the_openapi_document(tenants: Tenants) -> None:
    assert operations(tenants.connect(None).get("/openapi.json").json()) == set(ROUTES)


def test_there_are_sixteen_sets_and_no_key_has_the_empty_one(tenants: Tenants, manager: Client) -> None:
    assert len(SUBSETS) == 16
    assert wrong(mint(manager, permissions=[])) == {"permissions"}
    words = ("keys", "create", "--workspace", manager.workspace, "--name", "none")
    assert tenants.cli.run(*words).returncode != 0


@pytest.mark.parametrize("granted", SUBSETS[1:], ids=lambda granted: "+".join(sorted(granted)))
def test_a_route_is_open_exactly_to_its_permission(tenants: Tenants, manager: Client, granted: set[str]) -> None:
    key = minted(manager, permissions=sorted(granted), rate_limit_tier="unmetered")
    client = tenants.connect(key["key"])
    for (method, _), (path, needed, status) in ROUTES.items():
        answer = client.send(method, path, {}) if method in {"POST", "PATCH"} else client.request(method, path)
        if needed in granted:
            assert answer.status_code == status, (method, path)
        else:
            message = error_of(answer, 403, "insufficient_permissions")["message"]
            assert needed in message
            assert not any(name in message for name in PERMISSIONS if name != needed)


@pytest.mark.parametrize("granted", SUBSETS[1:], ids=lambda granted: "+".join(sorted(granted)))
def test_bytes_are_deleted_at_once_exactly_with_both_permissions(
    tenants: Tenants, manager: Client, granted: set[str]
) -> None:
    key = minted(manager, permissions=sorted(granted), rate_limit_tier="unmetered")
    answer = tenants.connect(key["key"]).delete(f"{document_path(UNKNOWN_DOCUMENT_ID)}?hard=true")
    missing = {"admin:documents", "write:documents"} - granted
    if missing:
        message = error_of(answer, 403, "insufficient_permissions")["message"]
        assert any(name in message for name in missing)
    else:
        error_of(answer, 404, "not_found")
