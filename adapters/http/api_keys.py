"""API keys over HTTP, for those who may administer them."""

from litestar import Router, delete, get, post
from litestar.params import FromPath

from adapters.http.answer import REPLAYED, Answer, empty_answer, json_answer
from adapters.http.body import READING_A_BODY, AnyRequest, read_idempotency_key, read_members, read_query
from adapters.http.in_flight import caller_of
from adapters.http.openapi import described
from adapters.http.parameters import PAGES, Query
from adapters.http.wire.api_keys import ApiKeyCreated, ApiKeyList, ApiKeyRow, CreateApiKeyBody
from adapters.http.wire.envelope import Envelope, Paged, PageMeta
from domain.errors import (
    DuplicateName,
    IdempotencyMismatch,
    Invalid,
    LastAdminKey,
    NotFound,
)
from domain.use_cases import UseCases

_TAG = "API keys"


def api_keys_router(use_cases: UseCases) -> Router:
    """`/v1/api-keys` and what is below it."""
    create, list_keys, revoke = use_cases.create_api_key, use_cases.list_api_keys, use_cases.revoke_api_key

    @post(
        "/",
        opt=described(
            summary="Make an API key",
            use_case=type(create),
            body=CreateApiKeyBody,
            status=201,
            success=Envelope[ApiKeyCreated],
            refusals=(*READING_A_BODY, DuplicateName, IdempotencyMismatch),
            idempotent=True,
            links={"revoke_api_key": {"key_id": "id"}},
            tag=_TAG,
        ),
    )
    async def create_api_key(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(create.permission)
        key = read_idempotency_key(request)
        made = await create(caller, await read_members(request), key)
        return json_answer(Envelope(ApiKeyCreated.of(made.key, made.secret)), 201, REPLAYED if made.replayed else {})

    @get(
        "/",
        opt=described(
            summary="List API keys",
            use_case=type(list_keys),
            status=200,
            success=Paged[ApiKeyList],
            refusals=(Invalid,),
            query={
                **PAGES,
                "include_revoked": Query(bool, "Whether to list revoked keys too: true, false, 1 or 0.", False),
                "search": Query(str, "Part of the name, in any letter case."),
            },
            tag=_TAG,
        ),
    )
    async def list_api_keys(request: AnyRequest) -> Answer:
        caller = caller_of(request.scope)
        caller.require(list_keys.permission)
        found = await list_keys(caller, read_query(request, "page", "per_page", "include_revoked", "search"))
        rows = ApiKeyList([ApiKeyRow.of(key) for key in found.keys])
        return json_answer(Paged(rows, PageMeta.of(found.page, found.total)))

    @delete(
        "/{key_id:str}",
        # What is sent is an Answer, whose status is its own.
        status_code=200,
        opt=described(
            summary="Revoke an API key",
            use_case=type(revoke),
            status=204,
            success=None,
            refusals=(Invalid, NotFound, LastAdminKey, IdempotencyMismatch),
            idempotent=True,
            tag=_TAG,
        ),
    )
    async def revoke_api_key(request: AnyRequest, key_id: FromPath[str]) -> Answer:
        caller = caller_of(request.scope)
        caller.require(revoke.permission)
        key = read_idempotency_key(request)
        replayed = await revoke(caller, key_id, key)
        return empty_answer(REPLAYED if replayed else {})

    return Router("/v1/api-keys", route_handlers=[create_api_key, list_api_keys, revoke_api_key])
