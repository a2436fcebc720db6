"""The table of all operations of the API: permission, parameters, members, headers, and a request that succeeds."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from .client import UNKNOWN_API_KEY_ID, UNKNOWN_DOCUMENT_ID, UNKNOWN_LINK_ID, Client, HeaderList
from .documents import COLLECTIONS, DOCUMENTS, FOLDERS, TAGS, USAGE, document_path, linked_entity
from .keys import KEYS, minted, wanted

UPLOAD_URL = f"{DOCUMENTS}/upload-url"
UNKNOWN = {
    "document_id": UNKNOWN_DOCUMENT_ID,
    "link_id": UNKNOWN_LINK_ID,
    "key_id": UNKNOWN_API_KEY_ID,
    "entity_id": "x",
}
"""A well-formed id that identifies nothing, by the name of the path parameter."""


@dataclass(frozen=True)
class Call:
    """One request, without its headers."""

    method: str
    path: str
    body: dict[str, Any] | None = None

    def send(self, client: Client, headers: HeaderList | None = None) -> httpx.Response:
        if self.body is None:
            return client.request(self.method, self.path, headers=headers)
        return client.send(self.method, self.path, self.body, headers)


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    """The path with its parameters in braces, written like the OpenAPI document."""
    permission: str
    success: int
    prepare: Callable[[Client], tuple[str, dict[str, Any] | None]]
    """Create the records that a request needs; return its path and its body. The client has every permission."""
    members: tuple[str, ...] = ()
    """The members of the body."""
    parameters: tuple[str, ...] = ()
    """The parameters of the query."""
    headers: tuple[str, ...] = ()
    """The headers that the operation reads, except `X-Request-ID`, `Authorization` and those that describe the body."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names_a_record(self) -> bool:
        """Return whether the path contains the id of a record that must exist."""
        return "_id}" in self.path and "{entity_id}" not in self.path

    @property
    def unknown_path(self) -> str:
        """Return the path with well-formed ids that identify nothing."""
        return self.path.format_map(UNKNOWN)

    def call(self, client: Client) -> Call:
        """Return a request that succeeds when a client in the workspace of `client` sends it."""
        path, body = self.prepare(client)
        return Call(self.method, path, body)


def _create(client: Client) -> tuple[str, dict[str, Any]]:
    return DOCUMENTS, client.document(client.upload())


def _document(client: Client) -> tuple[str, None]:
    return document_path(client.recorded()["id"]), None


def _patch(client: Client) -> tuple[str, dict[str, Any]]:
    return document_path(client.recorded()["id"]), {"name": "b.txt"}


def _link(client: Client) -> tuple[str, dict[str, Any]]:
    return f"{document_path(client.recorded()['id'])}/link", {"entity_type": "matter", "entity_id": "m-1"}


def _unlink(client: Client) -> tuple[str, None]:
    link = linked_entity(client, client.recorded()["id"])
    return f"{document_path(link['document_id'])}/link/{link['link_id']}", None


def _move(client: Client) -> tuple[str, dict[str, Any]]:
    top = f"/{uuid4()}"
    client.recorded(folder=f"{top}/a")
    return FOLDERS, {"from": f"{top}/a", "to": f"{top}/b"}


def _empty_folder(client: Client) -> tuple[str, None]:
    folder = f"/{uuid4()}"
    document_id = client.recorded(folder=folder)["id"]
    assert client.patch(document_path(document_id), {"folder": None}).status_code == 200
    return f"{FOLDERS}?folder={folder}", None


def _revoke(client: Client) -> tuple[str, None]:
    return f"{KEYS}/{minted(client)['id']}", None


def _fixed(path: str, body: dict[str, Any] | None, _: Client) -> tuple[str, dict[str, Any] | None]:
    return path, body


def _get(path: str, *parameters: str, permission: str = "read:documents") -> Operation:
    """Return a GET that succeeds in every workspace, even in an empty one."""
    return Operation(
        "GET", path, permission, 200, partial(_fixed, path.format_map(UNKNOWN), None), parameters=parameters
    )


_PAGE = ("page", "per_page")
_SEARCH = ("cursor", "folder", "recursive", "tag", "mime_type", "search", "created_after", "created_before", "sha256")
_RETRY = ("Idempotency-Key",)
_CONDITIONS = ("If-Match", "If-None-Match")

CREATE = Operation(
    *("POST", DOCUMENTS, "write:documents", 201, _create),
    members=("name", "mime_type", "storage_path", "size_bytes", "description", "folder", "tags"),
    headers=_RETRY,
)
SIGN_UPLOAD = Operation(
    *("POST", UPLOAD_URL, "write:documents", 200),
    partial(_fixed, UPLOAD_URL, {"name": "a.txt", "mime_type": "text/plain"}),
    members=("name", "mime_type", "size_bytes", "sha256"),
)
GET_DOCUMENT = Operation(
    *("GET", f"{DOCUMENTS}/{{document_id}}", "read:documents", 200, _document),
    parameters=("download", "disposition"),
    headers=_CONDITIONS,
)
PATCH = Operation(
    *("PATCH", f"{DOCUMENTS}/{{document_id}}", "write:documents", 200, _patch),
    members=("name", "description", "folder", "tags", "mime_type"),
    headers=(*_CONDITIONS, *_RETRY),
)
DELETE = Operation(
    *("DELETE", f"{DOCUMENTS}/{{document_id}}", "write:documents", 204, _document),
    parameters=("hard",),
    headers=(*_CONDITIONS, *_RETRY),
)
LINK = Operation(
    *("POST", f"{DOCUMENTS}/{{document_id}}/link", "write:documents", 201, _link),
    members=("entity_type", "entity_id", "role"),
    headers=_RETRY,
)
UNLINK = Operation(
    *("DELETE", f"{DOCUMENTS}/{{document_id}}/link/{{link_id}}", "write:documents", 204, _unlink), headers=_RETRY
)
MOVE = Operation("PATCH", FOLDERS, "write:documents", 200, _move, members=("from", "to"), headers=_RETRY)
DELETE_FOLDER = Operation(
    *("DELETE", FOLDERS, "write:documents", 204, _empty_folder), parameters=("folder",), headers=_RETRY
)
MINT = Operation(
    *("POST", KEYS, "admin:api_keys", 201, lambda _: (KEYS, wanted(permissions=["admin:api_keys"]))),
    members=("name", "permissions", "description", "rate_limit_tier", "expires_at"),
    headers=_RETRY,
)
REVOKE = Operation("DELETE", f"{KEYS}/{{key_id}}", "admin:api_keys", 204, _revoke, headers=_RETRY)

OPERATIONS = [
    *(CREATE, SIGN_UPLOAD, GET_DOCUMENT, PATCH, DELETE, LINK, UNLINK, MOVE, DELETE_FOLDER, MINT, REVOKE),
    _get(DOCUMENTS, *_PAGE, *_SEARCH),
    *(_get(f"/v1/{collection}/{{entity_id}}/documents", *_PAGE, "role") for collection in COLLECTIONS.values()),
    _get(FOLDERS, *_PAGE, "parent"),
    _get(TAGS, *_PAGE),
    _get(USAGE),
    _get(KEYS, *_PAGE, "include_revoked", "search", permission="admin:api_keys"),
]
WITH_A_BODY = [operation for operation in OPERATIONS if operation.members]
IDEMPOTENT = [operation for operation in OPERATIONS if "Idempotency-Key" in operation.headers]
OF_A_RECORD = [operation for operation in OPERATIONS if operation.names_a_record]

METHODS: dict[str, set[str]] = {}
"""The methods of each path of the API."""
for _each in OPERATIONS:
    METHODS.setdefault(_each.path, set()).add(_each.method)


def resolved(document: Any, part: Any) -> Any:
    """Return the part that a reference names, or the part itself."""
    if "$ref" not in part:
        return part
    for name in part["$ref"].removeprefix("#/").split("/"):
        document = document[name]
    return document


def described(openapi: dict[str, Any]) -> dict[str, tuple[set[str], set[str], set[str]]]:
    """Return the members, parameters and headers of each operation of an OpenAPI document."""
    found = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if not re.match("/v1/", path):
                continue
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {"schema": {}})
            named = [resolved(openapi, parameter) for parameter in operation["parameters"]]
            found[f"{method.upper()} {path}"] = (
                set(resolved(openapi, body["schema"]).get("properties", ())),
                {each["name"] for each in named if each["in"] == "query"},
                {each["name"] for each in named if each["in"] == "header"} - {"X-Request-ID"},
            )
    return found
