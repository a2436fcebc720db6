"""`dossier download`: documents become files, each once, however often the command runs."""

import hashlib
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from dossier_client.client import Client
from dossier_client.commands.connection import connected
from dossier_client.commands.jobs import FATAL, run_all
from dossier_client.commands.report import Report, jobs_option, json_option
from dossier_client.errors import DossierError
from dossier_client.models import Document
from dossier_client.transfers import download_document, file_name


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[ID]... DIRECTORY")
@click.option("--folder", help="Download this folder and everything below it, instead of single documents.")
@jobs_option
@json_option
def download(arguments: Sequence[str], folder: str | None, jobs: int, as_json: bool) -> None:
    """Download documents into a directory: those with the given ids, or those of a folder.

    A file that is there already with the same bytes is skipped, so an interrupted download is simply run again. A
    different file of the same name stays, and the document gets a part of its id as an addition to its name.
    """
    *ids, directory = arguments
    if bool(ids) == (folder is not None):
        raise click.UsageError("give the ids of documents, or --folder, and then a directory")
    with connected() as client, Report(as_json=as_json) as report:
        wanted: Iterable[str | Document] = ids if folder is None else client.walk(folder=folder)
        run_all(Download(client, report, Path(directory), folder), wanted, jobs)
    sys.exit(report.finish({"downloaded": "downloaded", "present": "there already", "failed": "failed"}))


@dataclass(frozen=True, slots=True)
class Download:
    """Downloads one document, unless its file exists already with the same bytes."""

    client: Client
    report: Report
    directory: Path
    folder: str | None
    """The folder to download. The folders below it become directories."""

    def __call__(self, wanted: str | Document) -> None:
        name = wanted if isinstance(wanted, str) else wanted.name
        try:
            # A list does not show the SHA-256.
            document = self.client.get(wanted if isinstance(wanted, str) else wanted.id)
            name = document.name
            self._download(document)
        except FATAL:
            raise
        except (DossierError, OSError) as error:
            self.report.file(name, "failed", reason=str(error))

    def _download(self, document: Document) -> None:
        directory = self._directory(document)
        directory.mkdir(parents=True, exist_ok=True)
        plain = directory / file_name(document.name)
        # Two documents of a folder may have the same name.
        distinct = directory / file_name(document.name, f"-{document.id[-8:]}")
        for path in (plain, distinct):
            try:
                if not path.exists():
                    with self.report.transfer(document.name, document.size_bytes) as progress:
                        self.client.run(download_document(self.client.api, document, path, progress=progress))
                    self.report.file(document.name, "downloaded", path=os.fspath(path), id=document.id)
                    return
            except FileExistsError:
                # Another document with this name took the path meanwhile.
                pass
            if _is_present(path, document):
                self.report.file(document.name, "present", path=os.fspath(path), id=document.id)
                return
        raise FileExistsError(f"{distinct} exists already with other bytes")

    def _directory(self, document: Document) -> Path:
        if self.folder is None:
            return self.directory
        # The server keeps folders in NFC. A path that was copied from a Mac may be in NFD.
        top = unicodedata.normalize("NFC", self.folder).rstrip("/")
        levels = (document.folder or "").removeprefix(top).split("/")
        directory = self.directory
        for level in filter(None, levels):
            directory /= file_name(level)
            # A document of the folder above may have the name of this folder.
            if directory.is_file():
                directory = directory.with_name(file_name(level, "-folder"))
        return directory


def _is_present(path: Path, document: Document) -> bool:
    """Return whether the file has the bytes of the document. Without a recorded SHA-256, the size must do."""
    if not path.is_file() or path.stat().st_size != document.size_bytes:
        return False
    if document.sha256 is None:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == document.sha256
