"""A large file through Dossier's signed URLs, beside the same bytes written to the same disk and read from it.

This process is the client. It prepares and keeps nothing, but it shares the machine's cores. Before each read, the
kernel drops the file from its cache; otherwise the benchmark would compare memory with memory.
"""

import asyncio
import http.client
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.contenders import Service
from bench.cpu import forget_peak, peak_bytes, process_seconds
from bench.crowd import Member, request
from bench.facts import MIME_TYPE, NAME

FILE_BYTES = 2**30
SMALL_BYTES = 64 * 2**20
"""The size of the file whose memory is the baseline."""

NEEDED_BYTES = 4 * 2**30
_PIECE = 2**20
# The timeout is long, because other programs use the disk too.
_SECONDS_TO_ANSWER = 120


@dataclass(frozen=True, slots=True)
class Transfers:
    """One round: MB (10^6 bytes) per second each way, and the server's CPU seconds and peak resident bytes."""

    upload_mb_s: float
    write_mb_s: float
    download_mb_s: float
    read_mb_s: float
    upload_cpu_s: float
    download_cpu_s: float
    peak_after_small: int
    peak_after_large: int

    @property
    def growth(self) -> int:
        """Return the difference between the peak memory with the large file and with the small one."""
        return self.peak_after_large - self.peak_after_small


def has_room(directory: Path) -> bool:
    """Return whether the disk has room for the file twice, without becoming full."""
    return shutil.disk_usage(directory).free >= NEEDED_BYTES


async def transfer(service: Service, member: Member, root: Path, *, disk_first: bool) -> Transfers:
    """Transfer the file up and down through Dossier, and through the kernel alone. Delete everything afterwards.

    The order matters: a disk that is itself a file of another machine is slow where nothing was written before.
    """
    forget_peak(service.server.pid)
    await asyncio.to_thread(_through_dossier, service, member, root, SMALL_BYTES)
    small = peak_bytes(service.server.pid)
    before = await _measure_disk(service, root) if disk_first else None
    await service.postgres.settle()
    forget_peak(service.server.pid)
    upload, upload_cpu, download, download_cpu = await asyncio.to_thread(
        _through_dossier, service, member, root, FILE_BYTES
    )
    large = peak_bytes(service.server.pid)
    write, read = before or await _measure_disk(service, root)
    return Transfers(
        upload_mb_s=FILE_BYTES / upload / 1e6,
        write_mb_s=FILE_BYTES / write / 1e6,
        download_mb_s=FILE_BYTES / download / 1e6,
        read_mb_s=FILE_BYTES / read / 1e6,
        upload_cpu_s=upload_cpu,
        download_cpu_s=download_cpu,
        peak_after_small=small,
        peak_after_large=large,
    )


async def _measure_disk(service: Service, root: Path) -> tuple[float, float]:
    await service.postgres.settle()
    return await asyncio.to_thread(_through_the_kernel, root / "plain")


def _through_dossier(service: Service, member: Member, root: Path, size: int) -> tuple[float, float, float, float]:
    """Upload, record and download. Return seconds and CPU seconds of the server for both ways."""
    pid = service.server.pid
    asked = {"name": NAME, "mime_type": MIME_TYPE, "size_bytes": size}
    link = _call(service, member, "POST", "/v1/documents/upload-url", asked)
    stored = root / "objects" / link["storage_path"]
    try:
        used, began = process_seconds(pid), time.perf_counter()
        _upload(link, size)
        upload, upload_cpu = time.perf_counter() - began, process_seconds(pid) - used
        record = _call(
            service,
            member,
            "POST",
            "/v1/documents",
            {"name": NAME, "mime_type": MIME_TYPE, "storage_path": link["storage_path"]},
        )
        found = _call(service, member, "GET", f"/v1/documents/{record['id']}", None)
        _forget(stored)
        used, began = process_seconds(pid), time.perf_counter()
        _download(found["download_url"], size)
        return upload, upload_cpu, time.perf_counter() - began, process_seconds(pid) - used
    finally:
        stored.unlink(missing_ok=True)


def _call(service: Service, member: Member, method: str, path: str, asked: dict[str, Any] | None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {member.api_key}", "Content-Type": "application/json"}
    body = b"" if asked is None else json.dumps(asked).encode()
    status, answer = request(service.server.url, method, path, body, headers)
    if status not in (200, 201):
        raise RuntimeError(f"{method} {path} got {status}: {answer}")
    data: dict[str, Any] = json.loads(answer)["data"]
    return data


def _upload(link: dict[str, Any], size: int) -> None:
    target = urlsplit(link["upload_url"])
    connection = http.client.HTTPConnection(target.netloc, timeout=_SECONDS_TO_ANSWER)
    try:
        connection.request(
            link["method"],
            f"{target.path}?{target.query}",
            _pieces(size),
            {**link["headers"], "Content-Length": str(size)},
        )
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"the upload got {response.status}: {response.read()!r}")
    finally:
        connection.close()


def _download(url: str, size: int) -> None:
    target, buffer, received = urlsplit(url), bytearray(_PIECE), 0
    connection = http.client.HTTPConnection(target.netloc, timeout=_SECONDS_TO_ANSWER)
    try:
        connection.request("GET", f"{target.path}?{target.query}")
        response = connection.getresponse()
        while count := response.readinto(buffer):
            received += count
        if (response.status, received) != (200, size):
            raise RuntimeError(f"the download got {response.status} and {received} bytes")
    finally:
        connection.close()


def _through_the_kernel(file: Path) -> tuple[float, float]:
    """Return the seconds to write the bytes durably, and to read them again."""
    try:
        began = time.perf_counter()
        with open(file, "xb", buffering=0) as clean_text:
            for piece in _pieces(FILE_BYTES):
                clean_text.write(piece)
            os.fsync(clean_text.fileno())
        write = time.perf_counter() - began
        _forget(file)
        buffer, began = bytearray(_PIECE), time.perf_counter()
        with open(file, "rb", buffering=0) as read:
            while read.readinto(buffer):
                pass
        return write, time.perf_counter() - began
    finally:
        file.unlink(missing_ok=True)


def _pieces(size: int) -> Iterator[bytes]:
    # Random bytes, because some disks detect zeros.
    piece = os.urandom(_PIECE)
    for _ in range(size // _PIECE):
        yield piece


def _forget(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
