"""Every operation reports its wrong headers, parameters and members by name, all in one response."""

import pytest

from .client import Client, wrong_fields
from .operations import OPERATIONS, Call, Operation


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_all_mistakes_are_named_together_and_before_an_unknown_id(manager: Client, operation: Operation) -> None:
    headers = dict.fromkeys(("Idempotency-Key", *operation.headers), "1")
    body = dict.fromkeys((*operation.members, "unknown"), True) if operation.members else None
    texts = {"search", "role", "tag"}
    for wrong, right in (("{0}=%00", set()), ("{0}=%FF", set()), ("{0}=-", texts), ("{0}=x&{0}=x", {"tag"})):
        names = [name for name in operation.parameters if name not in right]
        query = "&".join(["nothing=1", "%FF=1", *map(wrong.format, names)])
        call = Call(operation.method, f"{operation.unknown_path}?{query}", body)
        assert wrong_fields(call.send(manager, headers)) == {"nothing", "\ufffd", *headers, *names, *(body or ())}, (
            wrong
        )
