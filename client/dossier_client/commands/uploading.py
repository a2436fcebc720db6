"""`dossier upload`: files and folders of a disk become documents, each once, however often the command runs."""

import os
import stat
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from dossier_client.client import Client
from dossier_client.commands.connection import connected
from dossier_client.commands.entity import Entity
from dossier_client.commands.jobs import FATAL, run_all
from dossier_client.commands.report import Report, jobs_option, json_option
from dossier_client.errors import DossierError
from dossier_client.files import File
from dossier_client.models import Document
from dossier_client.transfers import store_and_record


@dataclass(frozen=True, slots=True)
class Found:
    """A file to upload, and the folder of its document. `problem` says why it is not uploaded.

    Only a `skipped` one is no failure: what it points to is uploaded elsewhere, or was not meant.
    """

    path: Path
    folder: str
    problem: str | None = None
    skipped: bool = False


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--folder", default="", help="The folder of the documents, such as /clients/acme.")
@click.option("--tag", "tags", multiple=True, help="A tag of the documents; repeat it for several.")
@click.option("--link", "links", multiple=True, type=Entity(), help="An entity, such as matter:M-2026/17.")
@click.option("--recursive", "-r", is_flag=True, help="Upload folders with everything below them.")
@click.option("--dry-run", is_flag=True, help="Only say what would be uploaded.")
@jobs_option
@json_option
def upload(
    paths: Sequence[str],
    folder: str,
    tags: Sequence[str],
    links: Sequence[tuple[str, str]],
    recursive: bool,
    dry_run: bool,
    jobs: int,
    as_json: bool,
) -> None:
    """Upload files as documents. What is recorded already is skipped, so an interrupted upload is simply run again.

    A folder becomes a folder of its name; with a slash at the end of its path, only what is in it is uploaded. Symbolic
    links to folders are not followed.
    """
    with connected() as client, Report(as_json=as_json) as report:
        one = Upload(client, report, tags, links, dry_run=dry_run)
        run_all(one, _files(paths, folder.rstrip("/"), recursive=recursive), jobs)
    words = {
        "recorded": "recorded",
        "missing": "to upload",
        "present": "recorded already",
        "skipped": "skipped",
        "failed": "failed",
    }
    sys.exit(report.finish(words))


@dataclass(frozen=True, slots=True)
class Upload:
    """Uploads one file unless its folder has a document with the same name and bytes already."""

    client: Client
    report: Report
    tags: Sequence[str]
    links: Sequence[tuple[str, str]]
    dry_run: bool

    def __call__(self, found: Found) -> None:
        name = os.fspath(found.path)
        if found.problem is not None:
            self.report.file(name, "skipped" if found.skipped else "failed", reason=found.problem)
            return
        try:
            self._upload(name, found)
        except FATAL:
            raise
        except (DossierError, OSError) as error:
            self.report.file(name, "failed", reason=str(error))

    def _upload(self, name: str, found: Found) -> None:
        file = File(found.path)
        file.examine()
        document = self._recorded(file, found)
        result = "recorded" if document is None else "present"
        if self.dry_run:
            self.report.file(name, "missing" if document is None else result)
            return
        if document is None:
            with self.report.transfer(found.path.name, file.length) as progress:
                file.progress = progress
                document = self.client.run(
                    store_and_record(
                        self.client.api, file, found.path.name, folder=found.folder or None, tags=self.tags
                    )
                )
        for kind, entity in self.links:
            self.client.link(document.id, kind, entity)
        self.report.file(name, result, id=document.id)

    def _recorded(self, file: File, found: Found) -> Document | None:
        """Return the document that an earlier run recorded for this file."""
        name = unicodedata.normalize("NFC", found.path.name)
        same = self.client.walk(sha256=file.sha256, folder=found.folder or "/", recursive=False)
        return next((document for document in same if document.name == name), None)


def _files(paths: Iterable[str], folder: str, *, recursive: bool) -> Iterator[Found]:
    """Yield the files at and below the paths, those of a folder in the order of their names."""
    for given in paths:
        path = Path(given)
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            yield Found(path, folder, f"cannot be read ({error.strerror})")
            continue
        if not is_folder:
            yield Found(path, folder)
        elif not recursive:
            yield Found(path, folder, "is a folder; add --recursive to upload it")
        elif given.endswith(os.sep) or path.name in {"", ".."}:
            yield from _below(path, folder)
        else:
            yield from _below(path, f"{folder}/{path.name}")


def _below(path: Path, folder: str) -> Iterator[Found]:
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        yield Found(path, folder, f"cannot be read ({error.strerror})")
        return
    for name in names:
        inner = path / name
        try:
            mode = inner.lstat().st_mode
            # A link to a file is uploaded as that file. One to a folder could lead back to where it came from.
            if stat.S_ISLNK(mode):
                mode = inner.stat().st_mode
                if stat.S_ISDIR(mode):
                    yield Found(inner, folder, "is a symbolic link to a folder", skipped=True)
                    continue
        except OSError as error:
            yield Found(inner, folder, f"cannot be read ({error.strerror})")
            continue
        if stat.S_ISDIR(mode):
            yield from _below(inner, f"{folder}/{name}")
        elif stat.S_ISREG(mode):
            yield Found(inner, folder)
        else:
            yield Found(inner, folder, "is neither a file nor a folder", skipped=True)
