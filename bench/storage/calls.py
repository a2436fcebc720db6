"""The cost of one signature and of one HEAD request, with Dossier's code and with botocore.

`python -m bench.storage.calls ENDPOINT SECONDS`, with the stub at the endpoint, prints this process' CPU per call, in
microseconds, as JSON. One process measures all calls in turns. Calls that wait for the stub run 32 at a time, as in
a server under load. The figures of Dossier include everything the adapter does around a call.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.storage import S3Storage, open_s3
from bench.contenders import MOST
from bench.facts import FILE_BYTES, MIME_TYPE
from bench.storage.stub import BUCKET, REGION
from domain.documents import SIGNED_URL_LIFETIME
from domain.paths import StoragePath
from ports.storage import UploadTerms

_PATH = StoragePath("workspaces/ws_01M84JBZKK0F489BGE4R52DNF2/documents/01M84JC185EJ3Z65E385ZWX1YP/Acme-NDA-2026.pdf")
_TERMS = UploadTerms(path=_PATH, mime_type=MIME_TYPE, size_bytes=FILE_BYTES, sha256="ab" * 32)
_TURN_SECONDS = 0.2
_BATCH = 4 * MOST

Call = Callable[[], Awaitable[Any]]


@asynccontextmanager
async def botocore_client(endpoint: str) -> AsyncIterator[Any]:
    """Open an aiobotocore client with the adapter's configuration."""
    config = AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        max_pool_connections=2 * MOST,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = get_session()
    async with session.create_client("s3", region_name=REGION, endpoint_url=endpoint, config=config) as client:
        yield client


def calls(storage: S3Storage, client: Any) -> Mapping[str, Call]:
    """Return all measured calls by name."""
    put = {
        "Bucket": BUCKET,
        "Key": _PATH,
        "ContentType": MIME_TYPE,
        "ContentLength": FILE_BYTES,
        "IfNoneMatch": "*",
        "ChecksumAlgorithm": "SHA256",
        "ChecksumSHA256": "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
    }
    seconds = int(SIGNED_URL_LIFETIME.total_seconds())
    return {
        "upload_url_ours": lambda: storage.sign_upload(_TERMS, utc_now() + SIGNED_URL_LIFETIME),
        "upload_url_botocore": lambda: client.generate_presigned_url("put_object", Params=put, ExpiresIn=seconds),
        "head_ours": lambda: storage.stat(_PATH),
        "head_botocore": lambda: client.head_object(Bucket=BUCKET, Key=_PATH, ChecksumMode="ENABLED"),
    }


async def measure(subjects: Mapping[str, Call], seconds: float) -> dict[str, float]:
    """Return the CPU of each call in microseconds. The first turn of each does not count."""
    used, made = dict.fromkeys(subjects, 0.0), dict.fromkeys(subjects, 0)
    for name, call in subjects.items():
        assert await call(), name
        await _turn(call)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, call in subjects.items():
            cpu, count = await _turn(call)
            used[name] += cpu
            made[name] += count
    return {name: used[name] / made[name] * 1e6 for name in subjects}


async def _turn(call: Call) -> tuple[float, int]:
    count = 0

    async def work() -> None:
        for _ in range(_BATCH // MOST):
            await call()

    began, end = time.process_time(), time.perf_counter() + _TURN_SECONDS
    while time.perf_counter() < end:
        await asyncio.gather(*(work() for _ in range(MOST)))
        count += _BATCH
    return time.process_time() - began, count


async def main(endpoint: str, seconds: float) -> None:
    location = s3_location(f"s3://{BUCKET}?region={REGION}&endpoint={endpoint}")
    async with open_s3(location, utc_now) as storage, botocore_client(endpoint) as client:
        gc.collect()
        gc.freeze()
        sys.stdout.write(json.dumps(await measure(calls(storage, client), seconds)) + "\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], float(sys.argv[2])))
