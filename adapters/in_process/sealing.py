"""Authenticated encryption with AES-256-GCM (NIST SP 800-38D), under a key derived by HKDF (RFC 5869)."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ports.intents import Intent

_SALT_BYTES = 16
# A constant nonce is safe here. A nonce must not repeat under one key, and the random salt gives each text a different
# key.
_NONCE = bytes(12)


class SaltedSealing:
    """`Sealing` under a secret key, with a new salt for each text. The sealed bytes are salt, ciphertext and tag."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, text: str, intent: Intent) -> bytes:
        salt = os.urandom(_SALT_BYTES)
        return salt + self._cipher(salt, intent).encrypt(_NONCE, text.encode(), _receipt(intent))

    def unseal(self, sealed: bytes, intent: Intent) -> str:
        salt, ciphertext = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:]
        return self._cipher(salt, intent).decrypt(_NONCE, ciphertext, _receipt(intent)).decode()

    def _cipher(self, salt: bytes, intent: Intent) -> AESGCM:
        # The idempotency key is not stored. So the secret alone opens nothing either.
        info = f"dossier receipt {intent.idempotency_key}".encode()
        return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(self._key))


def _receipt(intent: Intent) -> bytes:
    """Return what identifies the receipt of an intent, beside the idempotency key: the text opens in no other one."""
    return f"{intent.caller.workspace_id} {intent.operation} {intent.fingerprint.hex()}".encode()
