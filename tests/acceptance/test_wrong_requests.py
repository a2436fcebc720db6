"""Every operation reports its wrong headers, parameters and members by name, all in one response."""

from dataclasses import replace

import pytest

from .client import Client, wrong_fields
from .operations import OPERATIONS, WITH_A_BODY, Call, Operation

WRONG_PARAMETERS = {
    "page": ["0", "1000000001", "1&page=1"],
    "per_page": ["101", "1&per_page=1"],
    "folder": ["a", "/a%00", "/a&folder=/a"],
    "parent": ["a", "/a&parent=/b"],
    "recursive": ["2", "true,false", "false"],  # false needs a folder
    "tag": ["", "%20", "&tag=".join(f"t{number}" for number in range(51))],
    "mime_type": ["pdf", "a/b&mime_type=a/b"],
    "search": ["%00", "%FF", "a%C3", "a&search=a"],
    "created_after": ["yesterday", "2026-04-17T10:45:00", "2026-04-17&created_after=2026-04-17"],
    "created_before": ["tomorrow", "2026-04-17&created_before=2026-04-17"],
    "sha256": ["x", f"{'0' * 64}&sha256={'0' * 64}"],
    "disposition": ["INLINE", "inline&disposition=inline"],
    "cursor": ["x", f"{'0' * 26}&cursor={'0' * 26}"],
    "role": ["x" * 65, "a&role=a"],
    "download": ["", "2", "%ff", "true&download=true"],
    "hard": ["", "2", "%ff", "true&hard=true"],
    "include_revoked": ["2", "true&include_revoked=true"],
}
"""Wrong parameters of every operation. tests/domain/test_lists.py, test_members.py and test_rules.py prove which values
the rules refuse."""


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.parameters], ids=str)
def test_every_wrong_parameter_is_named_alone_and_with_the_others(manager: Client, operation: Operation) -> None:
    for name in operation.parameters:
        for value in WRONG_PARAMETERS[name]:
            answer = manager.request(operation.method, f"{operation.unknown_path}?{name}={value}")
            assert wrong_fields(answer) == {name}, value
    names = set(operation.parameters) - {"search"}
    query = "&".join(f"{name}={WRONG_PARAMETERS[name][0]}" for name in names)
    assert wrong_fields(manager.request(operation.method, f"{operation.unknown_path}?{query}")) == names


@pytest.mark.parametrize("operation", WITH_A_BODY, ids=str)
def test_each_wrong_or_unknown_member_is_named_alone_and_with_others(manager: Client, operation: Operation) -> None:
    call = operation.call(manager)
    for name in (*operation.members, "unknown", "id", operation.members[0].title(), ""):
        changed = replace(call, body=(call.body or {}) | {name: {"a": "b"}})
        assert wrong_fields(changed.send(manager)) == {name}
    wrong = dict.fromkeys((*operation.members, "unknown"), True)
    assert wrong_fields(replace(call, body=wrong).send(manager)) == set(wrong)
    assert call.send(manager).status_code == operation.success


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_all_mistakes_are_named_together_and_before_an_unknown_id(manager: Client, operation: Operation) -> None:
    headers = dict.fromkeys(("Idempotency-Key", *operation.headers), "1")
    repeated = [name for name in operation.parameters if name != "tag"]
    query = "&".join(["nothing=1", "%FF=1", *(f"{name}=x&{name}=x" for name in repeated)])
    body = dict.fromkeys((*operation.members, "unknown"), True) if operation.members else None
    call = Call(operation.method, f"{operation.unknown_path}?{query}", body)
    assert wrong_fields(call.send(manager, headers)) == {"nothing", "\ufffd", *headers, *repeated, *(body or ())}
