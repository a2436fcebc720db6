"""The description of the operations on API keys."""

from adapters.http.description.described import Described, Section
from adapters.http.description.refusals import OF_A_BODY
from adapters.http.wire.api_keys import ApiKeyCreated, ApiKeyList, CreateApiKeyBody
from adapters.http.wire.envelope import Envelope, Paged
from domain.errors import DuplicateName, IdempotencyMismatch, LastAdminKey, NotFound, TierTooHigh

API_KEYS = Section(
    "API keys",
    "The API keys of a workspace, and what each of them may do.",
    {
        "create_api_key": Described(
            summary="Create an API key",
            body=CreateApiKeyBody,
            status=201,
            success=Envelope[ApiKeyCreated],
            refusals=(*OF_A_BODY, TierTooHigh, DuplicateName, IdempotencyMismatch),
            idempotent=True,
            links={"revoke_api_key": {"key_id": "id"}},
        ),
        "list_api_keys": Described(summary="List API keys", success=Paged[ApiKeyList]),
        "revoke_api_key": Described(
            summary="Revoke an API key",
            status=204,
            refusals=(NotFound, LastAdminKey, IdempotencyMismatch),
            idempotent=True,
        ),
    },
)
