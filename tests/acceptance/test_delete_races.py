"""Documents deleted by many clients at once, while others create and change them: the counts stay exact."""

import itertools
import threading
from functools import partial

import pytest

from .client import Client, data_of, together
from .documents import (
    DOCUMENTS,
    FOLDERS,
    TAGS,
    change,
    delete,
    deleted,
    document_path,
    listed,
    new_idempotency_key,
    rows,
    usage,
)
from .tenants import Tenants


def test_of_many_deletes_at_once_exactly_one_deletes(home: Client) -> None:
    for _ in range(3):
        document_id, before = home.recorded()["id"], usage(home)
        answers = together([partial(delete, home, document_id)] * 8)
        assert sorted(answer.status_code for answer in answers) == [204] + [404] * 7
        assert usage(home) == (before[0] - 5, before[1] - 1)


def test_a_change_or_a_retried_create_that_meets_a_delete_brings_nothing_back(home: Client) -> None:
    for _ in range(4):
        key, path = new_idempotency_key(), home.upload()
        first = home.record(path, key)
        document_id, before = data_of(first, 201)["id"], usage(home)
        again, changed, gone = together(
            [
                partial(home.record, path, key),
                partial(change, home, document_id, name="b.txt"),
                partial(delete, home, document_id),
            ]
        )
        assert (again.status_code, again.content) == (201, first.content)
        assert changed.status_code in {200, 404}
        assert gone.status_code == 204
        assert home.get(document_path(document_id)).status_code == 404
        assert usage(home) == (before[0] - 5, before[1] - 1)


@pytest.mark.timeout(60)
def test_the_quota_is_exact_while_many_create_and_delete_under_it(tenants: Tenants) -> None:
    """About 200 operations. A thread reads the usage all the while, and it is recomputed at the end."""
    client = tenants.client(quota="499")
    sizes = itertools.cycle([100, 61, 0, 150])
    ready = [[client.upload(b"x" * next(sizes)) for _ in range(12)] for _ in range(6)]
    over, refused = threading.Event(), itertools.count()
    seen: list[int] = []

    def create_and_delete(paths: list[str]) -> list[str]:
        """Record each path, delete all but every third document, and return the ids of the rest."""
        left: list[str] = []
        for number, path in enumerate(paths):
            answer = client.record(path, folder=f"/{number % 2}", tags=["t"])
            assert answer.status_code in {201, 403}, answer.text
            if answer.status_code == 403:
                next(refused)
                assert answer.json()["error"]["code"] == "quota_exceeded"
                left[:] = [document_id for document_id in left if delete(client, document_id).status_code != 204]
            elif number % 3 == 2:
                left.append(answer.json()["data"]["id"])
            else:
                deleted(client, answer.json()["data"]["id"])
        return left

    def watch() -> None:
        while not over.is_set():
            seen.append(usage(client)[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        left = set(itertools.chain(*together([partial(create_and_delete, paths) for paths in ready])))
    finally:
        over.set()
        watcher.join()
    assert seen
    assert max(seen) <= 499
    assert min(seen) >= 0
    assert next(refused) > 0, "the quota was never reached, so the test proved nothing"
    body = listed(client, "per_page=100")
    documents = body["data"]["documents"]
    assert {row["id"] for row in documents} == left
    assert usage(client) == (sum(row["size_bytes"] for row in documents), len(left))
    assert body["meta"]["total"] == len(left)
    assert sum(row["documents"] for row in rows(client, path=FOLDERS)) == len(left)
    assert [row["count"] for row in rows(client, path=TAGS)] == ([len(left)] if left else [])
    for document_id in left:
        deleted(client, document_id)
    assert usage(client) == (0, 0)
    assert listed(client, path=DOCUMENTS)["meta"]["total"] == 0
