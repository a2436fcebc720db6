"""Authenticated encryption with AES-256-GCM (NIST SP 800-38D), under a key derived by HKDF (RFC 5869)."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SALT_BYTES = 16
# A constant nonce is safe here. A nonce must not repeat under one key, and the random salt gives each text a different
# key.
_NONCE = bytes(12)


class SaltedSealing:
    """`Sealing` with a new salt for each text. The sealed bytes are the salt, the ciphertext and its tag."""

    def seal(self, text: str, under: str) -> bytes:
        salt = os.urandom(_SALT_BYTES)
        return salt + _cipher(salt, under).encrypt(_NONCE, text.encode(), None)

    def unseal(self, sealed: bytes, under: str) -> str:
        salt = sealed[:_SALT_BYTES]
        return _cipher(salt, under).decrypt(_NONCE, sealed[_SALT_BYTES:], None).decode()


def _cipher(salt: bytes, under: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"dossier receipt").derive(under.encode())
    return AESGCM(derived)
