"""What only a directory can suffer: the volume that it lies on goes missing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.filesystem import FilesystemStorage
from domain.paths import StoragePath
from ports.storage import DownloadTerms, UploadTerms
from ports.system import Unavailable
from tests.contracts.test_storage import pieces

PATH = StoragePath("workspaces/ws_1/documents/a.txt")
TERMS = UploadTerms(path=PATH, mime_type="text/plain", size_bytes=None, sha256=None)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("what_is_left", ["nothing", "an empty mount point"])
async def test_a_volume_that_is_gone_is_unavailable_and_nothing_is_put_in_its_place(
    tmp_path: Path, what_is_left: str
) -> None:
    root = tmp_path / "files"
    storage = FilesystemStorage(root, "http://files.test", b"secret" * 8)
    await storage.prepare()
    stored = await storage.write(TERMS, pieces(b"kept"))
    root.rename(tmp_path / "elsewhere")
    if what_is_left == "an empty mount point":
        root.mkdir()

    download = DownloadTerms(path=PATH, stored=stored, mime_type="text/plain", disposition="attachment")  # type: ignore[arg-type]
    for attempt in (
        storage.probe(),
        storage.stat(PATH),
        storage.write(TERMS, pieces(b"new")),
        storage.sign_download(download, LATER),
    ):
        with pytest.raises(Unavailable):
            await attempt
    assert not root.exists() or list(root.iterdir()) == []

    if root.exists():
        root.rmdir()
    (tmp_path / "elsewhere").rename(root)
    await storage.probe()
    assert await storage.stat(PATH) == stored
