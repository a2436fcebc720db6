"""The report of `dossier doctor` about a database that cannot be opened, and the checks that it then reports as not
checked."""

import socket
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.database import connection_problem
from app.doctor import _storage, check_deployment, run_checks
from app.settings import Settings
from ports.checks import Grade
from tests.domain.world import NEVER_CALLED

WRONG_USER = "the user or the password in its URL is wrong: {}"
NO_CONNECTION = "no connection; check host and port in its URL: {}"
PROBLEMS = [
    (asyncpg.InvalidPasswordError('password authentication failed for user "u"'), WRONG_USER),
    (asyncpg.InvalidAuthorizationSpecificationError('role "u" does not exist'), WRONG_USER),
    (asyncpg.InvalidCatalogNameError('database "d" does not exist'), "{}: create it, or correct its URL"),
    (TimeoutError(), "no answer within 2 seconds; check host and port in its URL"),
    (ConnectionRefusedError(111, "Connect call failed"), NO_CONNECTION),
    (socket.gaierror(-2, "Name or service not known"), NO_CONNECTION),
    (asyncpg.UndefinedObjectError('no parameter "x"'), "its URL has a parameter that the server refuses: {}"),
    (
        asyncpg.exceptions.ClientConfigurationError("`sslmode` is wrong\nHINT: correct it"),
        "its URL, or a variable such as PGSSLMODE, does not fit the server: `sslmode` is wrong HINT: correct it",
    ),
    (asyncpg.TooManyConnectionsError("sorry, too many clients"), "TooManyConnectionsError: {}"),
]


@pytest.mark.parametrize(("error", "words"), PROBLEMS, ids=lambda value: type(value).__name__)
def test_each_reason_why_a_database_cannot_be_opened_is_explained(error: Exception, words: str) -> None:
    assert connection_problem(error) == words.format(error)


async def test_checks_that_need_an_unreachable_database_are_not_checked(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://u:hunter2@127.0.0.1:{closed.getsockname()[1]}/dossier"
    checks = await run_checks(Settings.read({"DOSSIER_DATA_DIR": str(tmp_path), "DOSSIER_DATABASE_URL": url}))
    results = {result.check: result for result in checks}
    assert {name: result.grade for name, result in results.items()} == {
        "settings": Grade.OK,
        "database": Grade.FAILED,
        "secret": Grade.OK,
        "storage": Grade.DEGRADED,
        "disk space": Grade.OK,
        "rate limit": Grade.OK,
    }
    assert results["database"].found.startswith("no connection; check host and port in its URL: ")
    assert results["storage"].found.startswith("not checked: ")
    assert not any("hunter2" in result.found for result in results.values())


async def test_without_a_database_the_deployment_is_not_checked_and_the_store_is_not_asked() -> None:
    result = await check_deployment(NEVER_CALLED, None)
    assert (result.grade, result.found) == (Grade.DEGRADED, "not checked: the database could not be read")


async def test_a_store_that_is_missing_fails_once_and_the_deployment_is_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "unknown")
    # No server answers at the endpoint of the bucket.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"s3://acme-documents?endpoint=http://127.0.0.1:{closed.getsockname()[1]}"
        settings = Settings.read({"DOSSIER_DATA_DIR": str(tmp_path), "DOSSIER_STORAGE_URL": url})
        results = await _storage(settings, NEVER_CALLED, is_unused=False)
    assert [(result.check, result.grade) for result in results] == [
        ("bucket", Grade.FAILED),
        ("deployment", Grade.DEGRADED),
    ]
    settings = Settings.read({"DOSSIER_DATA_DIR": str(tmp_path), "DOSSIER_STORAGE_URL": f"file://{tmp_path}/absent"})
    results = await _storage(settings, NEVER_CALLED, is_unused=False)
    assert [result.grade for result in results] == [Grade.FAILED, Grade.DEGRADED]
    assert "does not exist, but documents were recorded" in results[0].found
