"""Operations on folders and tags."""

from collections.abc import Sequence

from adapters.http.answer import Answer, empty_answer, json_answer, replay_headers
from adapters.http.operation import Operation
from adapters.http.request import AnyRequest, caller_of, use_cases_of
from adapters.http.sent import read_sent
from adapters.http.wire.envelope import Envelope, Paged, PageMeta
from adapters.http.wire.folders import (
    DeleteFolderQuery,
    FolderList,
    FolderRow,
    ListFoldersQuery,
    ListTagsQuery,
    MovedFolder,
    MovedFolderPath,
    TagList,
    TagRow,
)
from domain.use_cases.delete_folder import DeleteFolder
from domain.use_cases.find_documents import ListFolders, ListTags
from domain.use_cases.move_folder import MoveFolder


def routes() -> Sequence[Operation]:
    """Return the operations on folders and tags."""
    return [
        Operation("GET", "/v1/folders", list_folders, ListFolders, query=ListFoldersQuery),
        Operation("PATCH", "/v1/folders", move_folder, MoveFolder),
        Operation("DELETE", "/v1/folders", delete_folder, DeleteFolder, query=DeleteFolderQuery),
        Operation("GET", "/v1/tags", list_tags, ListTags, query=ListTagsQuery),
    ]


async def list_folders(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    found, page = await use_cases_of(request).list_folders(caller_of(request), sent.members)
    rows = FolderList([FolderRow(row.folder, row.documents) for row in found.rows])
    return json_answer(Paged(rows, PageMeta.of(page, found.total)))


async def move_folder(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    moved = await use_cases_of(request).move_folder(caller_of(request), sent.members, sent.idempotency_key)
    headers = replay_headers(replayed=moved.replayed)
    if moved.documents is None:
        return json_answer(Envelope(MovedFolderPath(moved.folder)), headers=headers)
    return json_answer(Envelope(MovedFolder(moved.folder, moved.documents, moved.is_exact)), headers=headers)


async def delete_folder(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    replayed = await use_cases_of(request).delete_folder(caller_of(request), sent.members, sent.idempotency_key)
    return empty_answer(replay_headers(replayed=replayed))


async def list_tags(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    found, page = await use_cases_of(request).list_tags(caller_of(request), sent.members)
    rows = TagList([TagRow(row.tag, row.documents) for row in found.rows])
    return json_answer(Paged(rows, PageMeta.of(page, found.total)))
