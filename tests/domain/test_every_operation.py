"""Permissions and invalid members, for every operation of the API."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Caller, Permission
from domain.entity_links import EntityType
from domain.errors import InsufficientPermissions, Invalid
from domain.members import Members, RuleViolation
from domain.use_cases import UseCases
from ports import Ports
from tests.domain.anything import TEXTS, objects_around
from tests.domain.samples import CALLER, DOCUMENT, KEY, LINK
from tests.domain.world import NEVER_CALLED, PLANS, World

READ, WRITE = Permission.READ_DOCUMENTS, Permission.WRITE_DOCUMENTS
ADMIN, API_KEYS = Permission.ADMIN_DOCUMENTS, Permission.ADMIN_API_KEYS
ID = "doc_01HY0000000000000000000000"

BLIND = UseCases.of(Ports(**{field.name: NEVER_CALLED for field in fields(Ports)}), PLANS)
"""Use cases that fail the test if they call a port."""

Call = Callable[[UseCases, Caller, str, Members], Awaitable[object]]

OPERATIONS: dict[str, tuple[set[Permission], Call]] = {
    "request_upload": ({WRITE}, lambda do, caller, id_, sent: do.request_upload(caller, sent)),
    "create_document": ({WRITE}, lambda do, caller, id_, sent: do.create_document(caller, sent, KEY)),
    "get_document": ({READ}, lambda do, caller, id_, sent: do.get_document(caller, id_, download=True)),
    "find_documents": ({READ}, lambda do, caller, id_, sent: do.find_documents(caller, sent)),
    "patch_document": ({WRITE}, lambda do, caller, id_, sent: do.patch_document(caller, id_, sent, KEY)),
    "delete_document": ({WRITE}, lambda do, caller, id_, sent: do.delete_document(caller, id_, KEY)),
    "delete_document hard": (
        {WRITE, ADMIN},
        lambda do, caller, id_, sent: do.delete_document(caller, id_, KEY, hard=True),
    ),
    "link_document": ({WRITE}, lambda do, caller, id_, sent: do.link_document(caller, id_, sent, KEY)),
    "unlink_document": (
        {WRITE},
        lambda do, caller, id_, sent: do.unlink_document(caller, id_, str(sent.get("link", id_)), KEY),
    ),
    "find_linked_documents": (
        {READ},
        lambda do, caller, id_, sent: do.find_linked_documents(caller, EntityType.DEAL, id_, sent),
    ),
    "list_folders": ({READ}, lambda do, caller, id_, sent: do.list_folders(caller, sent)),
    "move_folder": ({WRITE}, lambda do, caller, id_, sent: do.move_folder(caller, sent, KEY)),
    "delete_folder": ({WRITE}, lambda do, caller, id_, sent: do.delete_folder(caller, sent, KEY)),
    "list_tags": ({READ}, lambda do, caller, id_, sent: do.list_tags(caller, sent)),
    "get_usage": ({READ}, lambda do, caller, id_, sent: do.get_usage(caller)),
    "create_api_key": ({API_KEYS}, lambda do, caller, id_, sent: do.create_api_key(caller, sent, KEY)),
    "list_api_keys": ({API_KEYS}, lambda do, caller, id_, sent: do.list_api_keys(caller, sent)),
    "revoke_api_key": ({API_KEYS}, lambda do, caller, id_, sent: do.revoke_api_key(caller, id_, KEY)),
}


def test_the_table_lists_every_operation_that_needs_a_permission() -> None:
    declared = {field.name for field in fields(UseCases) if hasattr(getattr(BLIND, field.name), "permission")}
    assert declared == {name.split()[0] for name in OPERATIONS}


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=20)
@given(
    TEXTS,
    objects_around({**DOCUMENT, **LINK, "from": "/a", "to": "/b", "permissions": ["read:documents"], "page": "1"}),
    st.sets(st.sampled_from(Permission)),
)
async def test_without_its_permission_an_operation_is_refused_before_any_port_is_called(
    name: str, id_: str, sent: dict[str, object], granted: set[Permission]
) -> None:
    needed, call = OPERATIONS[name]
    if needed <= granted:
        granted -= needed
    caller = replace(CALLER, permissions=frozenset(granted))
    with pytest.raises(InsufficientPermissions) as refused:
        await call(BLIND, caller, id_, sent)
    assert refused.value.permission in needed - granted


INVALID: dict[str, dict[str, object]] = {
    "request_upload": {"name": "", "mime_type": "pdf", "size_bytes": -1, "sha256": "x", "storage_path": "a"},
    "create_document": {
        "name": "", "mime_type": "pdf", "storage_path": "/a", "size_bytes": -1, "description": "\0",
        "folder": "a", "tags": [""], "owner": "me",
    },
    "patch_document": {"name": None, "description": 5, "folder": "a", "tags": "t", "mime_type": None, "size_bytes": 1},
    "link_document": {"entity_type": "invoice", "entity_id": " ", "role": "", "document_id": None},
    "find_documents": {
        "folder": "a", "recursive": "yes", "tag": [""], "mime_type": "pdf", "search": "a\nb", "sha256": "x",
        "created_after": "yesterday", "created_before": "tomorrow", "page": "0", "per_page": "101",
        "cursor": "x", "sort": "name",
    },
    "find_linked_documents": {"role": "", "page": "0", "per_page": "101", "cursor": "0" * 26},
    "list_folders": {"parent": "a", "page": "0", "per_page": "101", "search": "x"},
    "list_tags": {"parent": "/", "page": "0", "per_page": "101"},
    "move_folder": {"from": "/", "to": "a", "folder": None},
    "delete_folder": {"folder": "/", "recursive": "true"},
    "list_api_keys": {"page": "0", "per_page": "101", "include_revoked": "yes", "search": 5, "name": "a"},
    "create_api_key": {
        "name": " ", "permissions": ["read:*"], "description": 5, "rate_limit_tier": "High",
        "expires_at": "2027-01-01", "scope": "all",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
async def test_all_mistakes_are_named_together_before_any_port_is_called(name: str) -> None:
    sent = {**INVALID[name], "If-Match": RuleViolation("must be an entity tag")}
    world = World()
    # The use case makes an API key while it reads the members, so it calls the ports of ids, time and secrets.
    use_cases = replace(world.use_cases, create_api_key=replace(world.create_api_key, keys=NEVER_CALLED))
    use_cases = use_cases if name == "create_api_key" else BLIND
    with pytest.raises(Invalid) as refused:
        await OPERATIONS[name][1](use_cases, await world.caller(), ID, sent)
    assert set(refused.value.fields) == set(sent)


REQUIRED = {
    "create_document": {"name", "mime_type", "storage_path"},
    "request_upload": {"name", "mime_type"},
    "link_document": {"entity_type", "entity_id"},
    "move_folder": {"from", "to"},
    "delete_folder": {"folder"},
}


@pytest.mark.parametrize(("name", "required"), REQUIRED.items())
async def test_a_missing_required_member_is_named(name: str, required: set[str]) -> None:
    for sent in ({}, dict.fromkeys(required)):
        with pytest.raises(Invalid) as refused:
            await OPERATIONS[name][1](BLIND, CALLER, ID, sent)
        assert set(refused.value.fields) == required
