"""The keys that are derived from the secret of a deployment."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@dataclass(frozen=True, slots=True, repr=False)
class DerivedKeys:
    """One key of 32 bytes for each use of the secret: HKDF-SHA256 (RFC 5869), with the use as its label.

    No key reveals anything about another one, so the database may contain `check`, by which a server recognises the
    secret. A test pins the labels: after a change of a label, receipts and signed URLs would not be recognised.
    """

    signed_urls: bytes
    receipts: bytes
    sealing: bytes
    check: bytes

    @classmethod
    def of(cls, secret: bytes) -> "DerivedKeys":
        """Derive the keys from a secret that cannot be guessed."""

        def derive(label: bytes) -> bytes:
            return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret)

        return cls(
            signed_urls=derive(b"dossier signed urls"),
            receipts=derive(b"dossier receipts"),
            sealing=derive(b"dossier sealing"),
            check=derive(b"dossier check"),
        )
