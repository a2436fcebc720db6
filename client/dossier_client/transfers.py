"""Uploads and downloads: the operations that move bytes and take more than one request."""

import mimetypes
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dossier_client.api import Api
from dossier_client.errors import Damaged, error_of
from dossier_client.files import Content, File, Incoming, Progress, ignore
from dossier_client.models import Document
from dossier_client.operations import create, get, request_upload_url
from dossier_client.retries import answered
from dossier_client.steps import Send, Steps, Work

_URLS = 3
"""The most signed URLs that one transfer asks for. One expires only if a slow transfer must be repeated."""

_NOT_IN_FILE_NAMES = "/\\\0" + ('<>:"|?*' if os.name == "nt" else "")
_LONGEST_ENDING = 40
"""Bytes. What follows the last dot of a name is kept up to this length when the name is shortened."""

_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


def upload(
    api: Api,
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    mime_type: str | None = None,
    description: str | None = None,
    folder: str | None = None,
    tags: Sequence[str] = (),
    idempotency_key: str | None = None,
    progress: Progress = ignore,
) -> Steps[Document]:
    """Upload a file, or bytes, and record it as a document.

    `name` is by default the name of the file, `mime_type` the type that the name suggests. The server takes only the
    bytes with the SHA-256 that was found before the upload. An upload that is interrupted before its document is
    recorded leaves nothing: the server deletes the bytes within a day.

    Raises:
        FileChanged: the file changed meanwhile.
        OSError: the file cannot be read.
        ApiError, NotAnswered: a request failed.
        ValueError: bytes without a name.
    """
    if isinstance(source, bytes):
        if name is None:
            raise ValueError("bytes need a name")
        body: Content | File = Content(source, progress)
    else:
        body = File(Path(source), progress)
        name = name or body.path.name
    return (
        yield from store_and_record(
            api,
            body,
            name,
            mime_type=mime_type,
            description=description,
            folder=folder,
            tags=tags,
            idempotency_key=idempotency_key,
        )
    )


def store_and_record(
    api: Api,
    body: Content | File,
    name: str,
    *,
    mime_type: str | None = None,
    description: str | None = None,
    folder: str | None = None,
    tags: Sequence[str] = (),
    idempotency_key: str | None = None,
) -> Steps[Document]:
    """Do what `upload` does, for a body that may have been examined already."""
    kind = mime_type or guess_type(name)
    if not body.sha256:
        yield Work(body.examine)
    storage_path = yield from _store(api, body, name, kind)
    return (
        yield from create(
            api,
            storage_path,
            name,
            kind,
            size_bytes=body.length,
            description=description,
            folder=folder,
            tags=tags,
            idempotency_key=idempotency_key,
        )
    )


def _store(api: Api, body: Content | File, name: str, mime_type: str) -> Steps[str]:
    """Upload the bytes, and return their storage path."""
    for _ in range(_URLS):
        url = yield from request_upload_url(api, name, mime_type, size_bytes=body.length, sha256=body.sha256)
        send = partial(Send, url.method, url.upload_url, url.headers, body)
        reply = yield from answered(send, api.patience)
        # 412: an earlier try stored the bytes, and its response was lost. The URL takes only these bytes.
        if 200 <= reply.status < 300 or reply.status == 412:
            return url.storage_path
        # 403: the URL has expired. S3 answers so in XML, and the directory store with `link_expired`.
        if reply.status != 403:
            break
    raise error_of(reply)


def download(
    api: Api,
    document_id: str,
    target: str | os.PathLike[str],
    *,
    replace: bool = False,
    progress: Progress = ignore,
) -> Steps[Path]:
    """Download the file of a document, and return its path.

    `target` is the new file, or an existing directory, in which the file gets the name of the document. The file
    appears when it is complete, and has the recorded size and SHA-256. After a failure, the transfer goes on where it
    stopped.

    Raises:
        FileExistsError: the file exists, and `replace` is false.
        Damaged: the received bytes are not the recorded ones.
        OSError: the file cannot be written.
        ApiError, NotAnswered: a request failed.
    """
    document = yield from get(api, document_id)
    path = Path(target)
    if path.is_dir():
        path /= file_name(document.name)
    yield from download_document(api, document, path, replace=replace, progress=progress)
    return path


def download_document(
    api: Api, document: Document, path: Path, *, replace: bool = False, progress: Progress = ignore
) -> Steps[None]:
    """Do what `download` does, for a document that was read with its download URL."""
    if not replace and path.exists():
        raise FileExistsError(f"{path} exists already")
    incoming = Incoming(path, progress)
    try:
        yield from _fetch(api, document, incoming)
        if incoming.received != document.size_bytes or document.sha256 not in {None, incoming.sha256}:
            raise Damaged(f"{path.name}: the received bytes are not those of {document.id}; they were discarded")
        yield Work(lambda: incoming.keep(replace=replace))
    finally:
        incoming.discard()


def _fetch(api: Api, document: Document, incoming: Incoming) -> Steps[None]:
    for _ in range(_URLS):
        url = document.download_url
        assert url is not None, "it was asked for"

        def request(url: str = url) -> Send:
            headers = {"Accept-Encoding": "identity"}
            if incoming.received and incoming.etag:
                headers |= {"Range": f"bytes={incoming.received}-", "If-Range": incoming.etag}
            return Send("GET", url, headers, sink=incoming)

        reply = yield from answered(request, api.patience)
        if 200 <= reply.status < 300:
            return
        if reply.status != 403:
            break
        document = yield from get(api, document.id)
    raise error_of(reply)


def guess_type(name: str) -> str:
    """Return the media type that the end of a name suggests."""
    kind, encoding = mimetypes.guess_type(name)
    if encoding is not None:
        return _COMPRESSED.get(encoding, "application/octet-stream")
    return kind or "application/octet-stream"


def file_name(name: str, addition: str = "") -> str:
    """Return the name of a document as the name of a file: of one level, and of at most 255 bytes.

    `addition` follows the name, before its ending.
    """
    plain = "".join("_" if letter in _NOT_IN_FILE_NAMES else letter for letter in name)
    if not plain.strip(". "):
        plain = "_" * len(plain)
    stem, ending = os.path.splitext(plain)
    if len(ending.encode()) > _LONGEST_ENDING:
        stem, ending = plain, ""
    ending = addition + ending
    room = 255 - len(ending.encode())
    return stem.encode()[:room].decode(errors="ignore") + ending
