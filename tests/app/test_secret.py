"""The secret of a deployment: what is derived from it, its file, and the one secret of all servers of a database."""

import os
import stat
from pathlib import Path

import pytest

from adapters.postgres.rows import hash_idempotency_key
from adapters.secret.derived import DerivedKeys
from adapters.secret.file import read_or_create_secret, replace_secret
from app.doctor import run_checks
from app.settings import Settings
from app.wiring import open_service
from domain.use_cases.verify_secret import OtherSecret
from ports.checks import Grade
from ports.system import Unavailable
from tests.domain.test_sealing import INTENT

SECRET = "0123456789abcdef0123456789abcdef"


# Worked out without the code: a change here loses the receipts and the signed URLs of a running deployment, and no
# server of it starts.
def test_the_derived_keys_and_the_names_of_receipts_are_pinned() -> None:
    keys = DerivedKeys.of(SECRET.encode())
    assert {name: getattr(keys, name).hex() for name in DerivedKeys.__slots__} == {
        "signed_urls": "1a269296e8880a6af3cabb71a7e42905c775b8f629434b28b7f3d55e4c40b04e",
        "receipts": "efd3606160b7238170a8e4455660e2b2d49cedf6854b963ec1f7fc1dc7a4a6e9",
        "sealing": "5fff4bbaca5d28ac389c59b3aa113e254229ba7d0713542fec370871e39d9272",
        "check": "ad3f1f4f451231b80d05cf9e02091fdd406bf8595aee18c4c01b7cb3c8a4d55c",
    }
    assert str(hash_idempotency_key(INTENT, keys.receipts)) == "560ed357-4201-8307-e2aa-12efa378466b"


def test_logging_the_derived_keys_shows_none_of_them() -> None:
    assert "efd3606160b7" not in repr(DerivedKeys.of(SECRET.encode())).replace("\\x", "")


def test_a_replaced_secret_differs_and_its_file_is_private(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    first = read_or_create_secret(file)
    # An attempt that was killed has left this file.
    (tmp_path / "secret.new").write_text("x")
    second = replace_secret(file)
    assert second != first
    assert read_or_create_secret(file) == second
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_secret_is_on_the_disk_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, synced = tmp_path / "secret", set()

    def watched(descriptor: int) -> None:
        if os.path.samestat(os.fstat(descriptor), tmp_path.stat()):
            synced.add(file.read_bytes())

    monkeypatch.setattr(os, "fsync", watched)
    assert {read_or_create_secret(file), replace_secret(file)} == synced
    synced.clear()
    # Another process may have created the file, and have been killed before it was on the disk.
    assert {read_or_create_secret(file)} == synced


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_that_other_users_can_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    read_or_create_secret(file)
    file.chmod(mode)
    with pytest.raises(Unavailable, match=f"chmod 600 {file}"):
        read_or_create_secret(file)


@pytest.mark.skipif("os.getuid() != 0", reason="only root can give a file away")
def test_a_secret_of_another_user_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    read_or_create_secret(file)
    os.chown(file, 12345, 12345)
    with pytest.raises(Unavailable, match="belongs to another user"):
        read_or_create_secret(file)


def test_a_file_that_cannot_be_used_is_reported_with_the_setting_that_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, where a directory should be")
    with pytest.raises(Unavailable, match="set DOSSIER_SECRET"):
        read_or_create_secret(tmp_path / "data" / "secret")


def configured(tmp_path: Path, url: str, secret: str = "") -> Settings:
    return Settings.read(
        {"DOSSIER_DATA_DIR": str(tmp_path / "data"), "DOSSIER_DATABASE_URL": url, "DOSSIER_SECRET": secret}
    )


async def serve(settings: Settings) -> None:
    """Open the service as a server does."""
    async with open_service(settings, serving=True):
        pass


async def secret_check(settings: Settings) -> tuple[Grade, str]:
    """Return what doctor says of the secret."""
    (found,) = (result for result in await run_checks(settings) if result.check == "secret")
    return found.grade, found.found


async def test_a_server_with_another_secret_does_not_start(tmp_path: Path, own_database_url: str) -> None:
    ours, theirs = configured(tmp_path, own_database_url), configured(tmp_path, own_database_url, "s" * 32)
    file = tmp_path / "data" / "secret"
    # A command writes no receipt, so it neither makes nor needs a secret.
    async with open_service(ours):
        assert not file.exists()
    assert (await secret_check(ours))[0] is Grade.OK
    for _ in range(2):
        await serve(ours)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text()) == 64
    assert list(file.parent.glob("*secret*")) == [file]
    assert await secret_check(ours) == (Grade.OK, "the one that the database knows")

    with pytest.raises(OtherSecret, match=r"Set DOSSIER_SECRET.*dossier rotate-secret"):
        await serve(theirs)
    async with open_service(theirs):
        pass
    grade, found = await secret_check(theirs)
    assert grade is Grade.FAILED
    assert "dossier rotate-secret" in found
    await serve(ours)
