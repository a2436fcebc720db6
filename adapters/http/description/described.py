"""What the OpenAPI document says of an operation beyond its route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from domain.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The facts of one operation that its route does not have.

    - `success` is the type of the body of a success, `None` if there is no body. `example` replaces the example of
      that type.
    - `narrowed` is the type of that body for an API key without `read:documents`, if it is another one. With
      `existing`, it is only that of the 200.
    - `refusals` are those that the operation adds to the refusals of every operation with an API key.
    - `idempotent` and `conditional`: the operation reads Idempotency-Key, or If-Match and If-None-Match.
    - `cacheable`: the answer may be 304 Not Modified.
    - `media_types` are those of the body.
    - `existing`: the success may be a 200 for an entity link that already exists.
    - `located` and `etag`: the success has that response header.
    - `links` are OpenAPI links. They name the operation that can follow, and give the member of `data` for each of
      its path parameters.
    """

    summary: str
    status: int = 200
    success: Any = None
    narrowed: Any = None
    body: type[msgspec.Struct] | None = None
    media_types: Sequence[str] = ("application/json",)
    refusals: Sequence[type[Refusal]] = ()
    idempotent: bool = False
    conditional: bool = False
    cacheable: bool = False
    existing: bool = False
    located: bool = False
    etag: bool = False
    example: Any = None
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """A group of operations under one tag; `operations` are described by their `operationId`."""

    tag: str
    text: str
    operations: Mapping[str, Described]
