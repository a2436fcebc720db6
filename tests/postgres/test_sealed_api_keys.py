"""An attack: the whole database and a guessed idempotency key open no API key, because the secret is in neither."""

import hashlib
import json
from base64 import b64decode
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.in_process.sealing import SaltedSealing
from adapters.in_process.system import new_secret
from adapters.postgres.api_keys import PostgresApiKeys
from adapters.postgres.database import Database
from adapters.postgres.reads import Reads
from adapters.postgres.rows import hash_idempotency_key, to_uuid
from adapters.secret.derived import DerivedKeys
from domain.access import Caller
from domain.use_cases.api_keys import CreateApiKey
from ports.intents import Intent
from tests.contracts.records import Records

SECRET = DerivedKeys.of(b"the secret of the deployment, 32 bytes or more")
GUESSED = "00000000-0000-0000-0000-000000000001"
BODY = {"name": "CI", "permissions": ["read:documents"]}


@pytest.fixture
def create(database: Database, records: Records) -> CreateApiKey:
    return CreateApiKey(
        keys=PostgresApiKeys(database, Reads(database), records.clock, SECRET.receipts),
        sealing=SaltedSealing(SECRET.sealing),
        now=records.clock,
        new_id=records.new_id,
        new_secret=new_secret,
    )


async def receipt(database: Database, caller: Caller) -> tuple[Any, bytes]:
    """Return the receipt of the caller's workspace, and what is sealed in it."""
    (row,) = await database.fetch("SELECT * FROM receipts WHERE workspace_id = $1", to_uuid(caller.workspace_id))
    return row, b64decode(json.loads(row["facts"])["sealed"])


async def test_the_database_and_a_guessed_idempotency_key_open_nothing(
    database: Database, records: Records, create: CreateApiKey
) -> None:
    caller = records.intent(await records.workspace()).caller
    made = await create(caller, BODY, GUESSED)
    row, sealed = await receipt(database, caller)
    # The attacker knows the rest.
    intent = Intent(operation=row["operation"], caller=caller, idempotency_key=GUESSED, fingerprint=row["fingerprint"])

    guess = GUESSED.encode()
    known = [b"", guess, bytes(32), hashlib.sha256(guess).digest(), row["key_hash"].bytes, SECRET.check]
    for key in known:
        assert hash_idempotency_key(intent, key) != row["key_hash"]
        with pytest.raises(InvalidTag):
            SaltedSealing(key).unseal(sealed, intent)
    # As the first version did it.
    assert hashlib.sha256(b"dossier receipt " + guess).digest()[:16] != row["key_hash"].bytes
    derived = HKDF(algorithm=SHA256(), length=32, salt=sealed[:16], info=b"dossier receipt").derive(guess)
    with pytest.raises(InvalidTag):
        AESGCM(derived).decrypt(bytes(12), sealed[16:], None)

    assert SaltedSealing(SECRET.sealing).unseal(sealed, intent) == made.secret, "the attack would succeed"


async def test_an_api_key_that_was_moved_to_the_receipt_of_another_workspace_is_not_shown_there(
    database: Database, records: Records, create: CreateApiKey
) -> None:
    theirs, ours = [records.intent(await records.workspace()).caller for _ in range(2)]
    await create(theirs, BODY, GUESSED)
    made = await create(ours, BODY, GUESSED)
    (stolen, _), (own, _) = await receipt(database, theirs), await receipt(database, ours)
    # Who sees the database cannot even tell that both have sent the same idempotency key.
    assert stolen["key_hash"] != own["key_hash"]
    assert (await create(ours, BODY, GUESSED)).secret == made.secret
    await database.fetch(
        "UPDATE receipts SET facts = $2::jsonb WHERE workspace_id = $1", to_uuid(ours.workspace_id), stolen["facts"]
    )
    with pytest.raises(InvalidTag):
        await create(ours, BODY, GUESSED)
