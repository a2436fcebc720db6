"""Whatever Postgres fails a write with that may pass, the create goes again with the same ids and is recorded once."""

import asyncio
from uuid import uuid4

import pytest

from adapters.postgres import statements
from adapters.postgres.database import Database
from ports.outcomes import Created
from ports.queries import Usage
from tests.clock import StillClock
from tests.contracts.records import Records, postgres_records
from tests.postgres.failing import Failing

CODES = {
    "40P01": "deadlock_detected",
    "40001": "serialization_failure",
    "57014": "query_canceled",  # what a statement's time limit ends with
    "55P03": "lock_not_available",
    "53300": "too_many_connections",
    "57P01": "admin_shutdown",
    "57P03": "cannot_connect_now",
    "25006": "read_only_sql_transaction",
}


@pytest.fixture
def failing(database: Database) -> Failing:
    return Failing(database, statements.RECORD_DOCUMENTS)


@pytest.fixture
def records(failing: Failing) -> Records:
    return postgres_records(failing, StillClock())


@pytest.mark.parametrize("moment", ["before it", "after the commit"])
@pytest.mark.parametrize("code", CODES, ids=CODES.get)
async def test_a_failure_that_may_pass_is_tried_again(
    failing: Failing, records: Records, code: str, moment: str
) -> None:
    home = await records.workspace(quota_bytes=100)
    keyed, bare = records.document(home, path="documents/a"), records.document(home, path="documents/b")
    failing.fails = [(moment, code)] * 3
    creates = (
        records.documents.create(keyed, records.intent(home, str(uuid4()))),
        records.documents.create(bare, records.intent(home)),
    )
    assert list(await asyncio.gather(*creates)) == [Created(keyed), Created(bare)]
    assert failing.fails == []
    assert await records.documents.usage(home.id) == Usage(used_bytes=20, quota_bytes=100, documents=2)


async def test_a_value_that_postgres_will_not_take_fails_alone_and_at_once(records: Records) -> None:
    home = await records.workspace()
    documents = [records.document(home, path=f"documents/{n}", name=name) for n, name in enumerate(("a", "\0", "c"))]
    outcomes = await asyncio.gather(
        *(records.documents.create(document, records.intent(home)) for document in documents), return_exceptions=True
    )
    assert outcomes[0] == Created(documents[0])
    assert "unsupported Unicode escape" in str(outcomes[1])
    assert outcomes[2] == Created(documents[2])
    assert (await records.documents.usage(home.id)).documents == 2
