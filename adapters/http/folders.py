"""Folders and tags over HTTP."""

from litestar import Router, get, patch
from litestar.handlers import HTTPRouteHandler

from adapters.http.answer import Answer, json_answer
from adapters.http.body import READING_A_BODY, AnyRequest, read_members, read_query
from adapters.http.in_flight import caller_of
from adapters.http.openapi import described
from adapters.http.parameters import PAGES, Query
from adapters.http.wire.envelope import Envelope, Paged, PageMeta
from adapters.http.wire.folders import FolderList, FolderRow, MoveFolderBody, TagList, TagRow
from adapters.http.wire.members import Folder
from domain.errors import FolderExists, Invalid
from domain.use_cases import UseCases

_TAG = "Folders and tags"


def folders_router(use_cases: UseCases) -> Router:
    """`/v1/folders`."""
    list_, move = use_cases.list_folders, use_cases.move_folder

    @get(
        "/",
        opt=described(
            summary="List folders",
            use_case=type(list_),
            status=200,
            success=Paged[FolderList],
            refusals=(Invalid,),
            query={**PAGES, "parent": Query(Folder, "The folder whose folders are listed.", "/")},
            tag=_TAG,
        ),
    )
    async def list_folders(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(list_.permission)
        found, page = await list_(caller, read_query(request, "parent", "page", "per_page"))
        rows = FolderList([FolderRow(row.folder, row.documents) for row in found.rows])
        return json_answer(Paged(rows, PageMeta.of(page, found.total)))

    @patch(
        "/",
        opt=described(
            summary="Rename or move a folder",
            use_case=type(move),
            body=MoveFolderBody,
            status=200,
            success=Envelope[FolderRow],
            refusals=(*READING_A_BODY, FolderExists),
            tag=_TAG,
        ),
    )
    async def move_folder(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(move.permission)
        moved = await move(caller, await read_members(request))
        return json_answer(Envelope(FolderRow(moved.folder, moved.documents)))

    return Router("/v1/folders", route_handlers=[list_folders, move_folder])


def tags_handler(use_cases: UseCases) -> HTTPRouteHandler:
    """`/v1/tags`."""
    list_ = use_cases.list_tags

    @get(
        "/v1/tags",
        opt=described(
            summary="List tags",
            use_case=type(list_),
            status=200,
            success=Paged[TagList],
            refusals=(Invalid,),
            query=PAGES,
            tag=_TAG,
        ),
    )
    async def list_tags(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(list_.permission)
        found, page = await list_(caller, read_query(request, "page", "per_page"))
        rows = TagList([TagRow(row.tag, row.documents) for row in found.rows])
        return json_answer(Paged(rows, PageMeta.of(page, found.total)))

    return list_tags
