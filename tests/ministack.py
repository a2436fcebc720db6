"""The S3 server of the tests, which verifies signatures, expiry, conditions and checksums as S3 does.

If `S3_TEST_ENDPOINT` is set, the tests use that server instead, with `S3_TEST_BUCKET`, `S3_TEST_ACCESS_KEY`,
`S3_TEST_SECRET_KEY`, and `S3_TEST_REGION` unless it is us-east-1. The credentials must allow creating buckets.
"""

import asyncio
import json
import os
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from adapters.in_process.system import utc_now
from adapters.s3.location import s3_location
from adapters.s3.sending import Timeouts
from adapters.s3.storage import S3Storage, open_s3

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

PYTHON = Path(__file__).parents[1] / ".venv/ministack/bin/python"
_STRICT = Path(__file__).parent / "s3" / "strict.py"
REGION = "us-east-1"
START_SECONDS = 30
NO_CREDENTIALS = {
    **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"), ""),
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""An environment in which no credentials of this machine are found."""
_PAGE = (Path(__file__).parents[1] / "docs/storage.md").read_text()
PERMISSIONS, POLICY, CORS = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL))
"""The documented JSON. The policy has no {"Null": "false"}: Ceph reads it as "true", and would deny other uploads."""
# The access key and secret of the server's root user, whose signatures it does not verify.
_ROOT = "test"
_EVERYTHING: dict[str, object] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """A server with two buckets, one of them versioned, and a client with all permissions.

    `iam` is a client of its IAM, or `None` if `S3_TEST_ENDPOINT` names the server.
    """

    endpoint: str
    region: str
    access_key: str
    secret_key: str
    plain: str
    versioned: str
    client: "S3Client"
    iam: Any | None

    def url(self, bucket: str, **more: str) -> str:
        """Return the setting that names a bucket of this server."""
        query = {"region": self.region, "endpoint": self.endpoint, **more}
        return f"s3://{bucket}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables with the credentials of this server, and no others."""
        return {**NO_CREDENTIALS, "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Bucket:
    """A bucket of the server, with the adapter on it."""

    server: S3Server
    name: str
    is_versioned: bool
    storage: S3Storage


@asynccontextmanager
async def open_s3_bucket(server: S3Server, *, versioned: bool) -> AsyncIterator[S3Bucket]:
    """Open the adapter on one of the two buckets for the `with` block."""
    name = server.versioned if versioned else server.plain
    async with open_s3(s3_location(server.url(name)), utc_now, Timeouts(settle_seconds=0)) as storage:
        yield S3Bucket(server=server, name=name, is_versioned=versioned, storage=storage)


@asynccontextmanager
async def open_s3_server() -> AsyncIterator[S3Server]:
    """Open the server that the environment names, or start one."""
    given = os.environ
    if endpoint := given.get("S3_TEST_ENDPOINT"):
        region, plain = given.get("S3_TEST_REGION", REGION), given["S3_TEST_BUCKET"]
        access_key, secret_key = given["S3_TEST_ACCESS_KEY"], given["S3_TEST_SECRET_KEY"]
        async with _open_buckets(endpoint, region, access_key, secret_key, plain, None) as server:
            yield server
        return
    async with _start_ministack() as endpoint, _client("iam", endpoint, _ROOT, _ROOT, REGION) as iam:
        access_key, secret_key = await make_user(iam, "dossier", _EVERYTHING)
        async with _open_buckets(endpoint, REGION, access_key, secret_key, "dossier-plain", iam) as server:
            yield server


@asynccontextmanager
async def _start_ministack() -> AsyncIterator[str]:
    """Run ministack for the `with` block, and yield its endpoint."""
    with tempfile.TemporaryDirectory(prefix="dossier-s3-") as directory:
        port = _free_port()
        environment = {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SERVICES": "s3,iam,sts",
            "LOG_LEVEL": "WARNING",
            "TMPDIR": directory,
            "PATH": os.environ.get("PATH", ""),
        }
        log = Path(directory, "log")
        with log.open("wb") as output:  # noqa: ASYNC230 - a local file, before anything else runs
            process = await asyncio.create_subprocess_exec(
                *(PYTHON, _STRICT), env=environment, cwd=directory, stdin=asyncio.subprocess.PIPE, stdout=output,
                stderr=output,
            )  # fmt: skip
        try:
            await _wait_until_ready(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def _wait_until_ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
    raise RuntimeError(f"ministack did not start; `make test` installs it. Its log: {log.read_text()}")


def _client(service: str, endpoint: str, access_key: str, secret_key: str, region: str) -> Any:
    session: Any = get_session()  # its types are by literal service names
    return session.create_client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=AioConfig(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


async def make_user(iam: Any, name: str, statement: Mapping[str, object]) -> tuple[str, str]:
    """Create a user with one permission, and return the access key and its secret, whose signatures are verified."""
    await iam.create_user(UserName=name)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    await iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy)
    made = (await iam.create_access_key(UserName=name))["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


@asynccontextmanager
async def _open_buckets(
    endpoint: str, region: str, access_key: str, secret_key: str, plain: str, iam: Any | None
) -> AsyncIterator[S3Server]:
    versioned = f"{plain}-versioned"
    policy = json.dumps(POLICY)
    async with _client("s3", endpoint, access_key, secret_key, region) as client:
        for bucket in (plain, versioned):
            if bucket not in {item["Name"] for item in (await client.list_buckets())["Buckets"]}:
                await client.create_bucket(Bucket=bucket)
            await client.put_bucket_policy(Bucket=bucket, Policy=policy.replace("acme-documents", bucket))
        await client.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Enabled"})
        yield S3Server(
            endpoint=endpoint,
            region=region,
            access_key=access_key,
            secret_key=secret_key,
            plain=plain,
            versioned=versioned,
            client=client,
            iam=iam,
        )
