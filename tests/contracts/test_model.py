"""Memory and Postgres side by side: in every sequence, each step has the same outcome on both (Hypothesis)."""

import asyncio
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.postgres.database import open_database
from ports.outcomes import (
    AddLinkOutcome,
    CreateOutcome,
    DeleteFolderOutcome,
    DeleteOutcome,
    IssueOutcome,
    MoveFolderOutcome,
    PatchOutcome,
    RemoveLinkOutcome,
)
from tests.contracts.side_by_side.reading import Reading
from tests.contracts.side_by_side.writing import Writing
from tests.crash.scale import SOAK


class SideBySide(Writing, Reading):
    """All writes and reads, in any order."""


LIMITS = {
    "changes.LINKS_MAX": 1,
    "changes.FOLDERS_MAX": 20,
    "queries.COUNT_MAX": 6,
    "queries.SEARCH_WINDOW": 4,
}
"""Limits that a short sequence reaches."""


# Ten rounds may be needed, on a busy machine.
@pytest.mark.timeout(900)
def test_memory_and_postgres_have_the_same_outcomes(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in LIMITS.items():
        monkeypatch.setattr(f"adapters.memory.{name}", limit)
        monkeypatch.setattr(f"adapters.postgres.{name}", limit)
    monkeypatch.setattr("adapters.postgres.creates.FOLDERS_MAX", LIMITS["changes.FOLDERS_MAX"])
    changes = (
        PatchOutcome | DeleteOutcome | AddLinkOutcome | RemoveLinkOutcome | MoveFolderOutcome | DeleteFolderOutcome
    )
    outcomes = {*get_args(CreateOutcome), *get_args(IssueOutcome), *get_args(changes)}
    with asyncio.Runner() as runner:
        opened = open_database(database_url)
        SideBySide.runner, SideBySide.database = runner, runner.run(opened.__aenter__())
        try:
            examples = 2000 if SOAK else 100
            # If an outcome never occurred, its equality was not tested. Some are rare, so more sequences may be needed.
            for _ in range(10):
                run_state_machine_as_test(
                    SideBySide, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None)
                )
                if SideBySide.met == outcomes:
                    break
        finally:
            runner.run(opened.__aexit__(None, None, None))
    assert SideBySide.met == outcomes
