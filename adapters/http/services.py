"""What the HTTP side needs to answer anything: the use cases, wired, and a way to ask each dependency how it is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.use_cases.admit_request import AdmitRequest
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.get_document import GetDocument
from domain.use_cases.request_upload import RequestUpload
from ports.storage import LinkedStorage
from ports.system import Clock, NewId

Probe = Callable[[], Awaitable[None]]
"""Returns when the dependency works; raises `Unavailable` when it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`links` is the store whose signed requests come to us, where the deployment has such a one."""

    admit: AdmitRequest
    create_document: CreateDocument
    request_upload: RequestUpload
    get_document: GetDocument
    links: LinkedStorage | None
    probes: Mapping[str, Probe]
    now: Clock
    new_id: NewId
