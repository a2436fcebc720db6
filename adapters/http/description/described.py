"""The facts about an operation that the OpenAPI document has and its route lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from domain.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The description of one operation.

    - `success` is the type of the body of a successful response; `None` if there is no body. `example` replaces the
      example of that type.
    - `narrowed` is the type of that body for an API key without `read:documents`, if it is another one. With
      `existing`, it is only that of the 200.
    - `refusals` are the refusals of this operation, without those of every operation with an API key.
    - `idempotent`: a repeated request with the same Idempotency-Key has no effect and gets the first response.
    - `cacheable`: the response may be 304 Not Modified.
    - `existing`: the response is 200 if the entity link already exists.
    - `located` and `etag`: the successful response has the header `Location`, or `ETag`.
    - `links` are OpenAPI links. They name the operation that can follow, and give the member of `data` for each of
      its path parameters.
    """

    summary: str
    status: int = 200
    success: Any = None
    narrowed: Any = None
    body: type[msgspec.Struct] | None = None
    refusals: Sequence[type[Refusal]] = ()
    idempotent: bool = False
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
