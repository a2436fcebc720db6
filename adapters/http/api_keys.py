"""Operations on API keys, for callers that may administer them."""

from collections.abc import Sequence

from litestar.params import FromPath

from adapters.http.answer import Answer, empty_answer, json_answer, replay_headers
from adapters.http.operation import Operation
from adapters.http.request import AnyRequest, caller_of, use_cases_of
from adapters.http.sent import read_sent
from adapters.http.wire.api_keys import ApiKeyCreated, ApiKeyList, ApiKeyRow, ListApiKeysQuery
from adapters.http.wire.envelope import Envelope, Paged, PageMeta
from domain.use_cases.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey


def routes() -> Sequence[Operation]:
    """Return the operations on API keys."""
    return [
        Operation("POST", "/v1/api-keys", create_api_key, CreateApiKey),
        Operation("GET", "/v1/api-keys", list_api_keys, ListApiKeys, query=ListApiKeysQuery),
        Operation("DELETE", "/v1/api-keys/{key_id:str}", revoke_api_key, RevokeApiKey),
    ]


async def create_api_key(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    new = await use_cases_of(request).create_api_key(caller_of(request), sent.members, sent.idempotency_key)
    return json_answer(Envelope(ApiKeyCreated.of(new.key, new.secret)), 201, replay_headers(replayed=new.replayed))


async def list_api_keys(request: AnyRequest) -> Answer:
    sent = await read_sent(request)
    found = await use_cases_of(request).list_api_keys(caller_of(request), sent.members)
    rows = ApiKeyList([ApiKeyRow.of(key) for key in found.keys])
    return json_answer(Paged(rows, PageMeta.of(found.page, found.total)))


async def revoke_api_key(request: AnyRequest, key_id: FromPath[str]) -> Answer:
    sent = await read_sent(request)
    replayed = await use_cases_of(request).revoke_api_key(caller_of(request), key_id, sent.idempotency_key)
    return empty_answer(replay_headers(replayed=replayed))
