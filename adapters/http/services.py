"""What the HTTP side needs to answer anything: the use cases, wired, and a way to ask each dependency how it is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.use_cases.admit_request import AdmitRequest
from domain.use_cases.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey
from domain.use_cases.change_document import DeleteDocument, PatchDocument
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.find_documents import FindDocuments, FindLinkedDocuments, ListFolders, ListTags
from domain.use_cases.get_document import GetDocument
from domain.use_cases.get_usage import GetUsage
from domain.use_cases.links import LinkDocument, UnlinkDocument
from domain.use_cases.move_folder import MoveFolder
from domain.use_cases.request_upload import RequestUpload
from ports.storage import LinkedStorage
from ports.system import Clock, NewId

Probe = Callable[[], Awaitable[None]]
"""Returns when the dependency works; raises `Unavailable` when it does not."""


class Metrics(Protocol):
    """What is counted for operators. To count costs next to nothing: every request does it."""

    def count_answer(self, method: str, route: str | None, status: int) -> None:
        """A request was answered. `route` has names where addresses have ids; `None` when there is none."""
        ...

    def count_refusal(self) -> None:
        """A rate limit refused a request."""
        ...

    def count_unknown_key(self) -> None:
        """Somebody presented a key that opens nothing."""
        ...

    def exposition(self) -> tuple[bytes, str]:
        """All that was counted, in the text format of Prometheus, and its content type. From any thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`links` is the store whose signed requests come to us, where the deployment has such a one.

    `probes` ask what no request is answered without, `optional_probes` the rest; no name is in both.
    """

    admit: AdmitRequest
    create_document: CreateDocument
    request_upload: RequestUpload
    get_document: GetDocument
    find_documents: FindDocuments
    patch_document: PatchDocument
    delete_document: DeleteDocument
    link_document: LinkDocument
    unlink_document: UnlinkDocument
    find_linked_documents: FindLinkedDocuments
    list_folders: ListFolders
    move_folder: MoveFolder
    list_tags: ListTags
    create_api_key: CreateApiKey
    list_api_keys: ListApiKeys
    revoke_api_key: RevokeApiKey
    get_usage: GetUsage
    links: LinkedStorage | None
    probes: Mapping[str, Probe]
    optional_probes: Mapping[str, Probe]
    metrics: Metrics
    now: Clock
    new_id: NewId
