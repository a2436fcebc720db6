"""Make sure that every server of a database has the same secret.

A server with another secret would not recognise the receipts and signed URLs of the others: a retry that reaches it
would be refused instead of replayed.
"""

from dataclasses import dataclass

from ports.deployment import Deployments


class OtherSecret(Exception):
    """The secret of this process is not the recorded one. The text says what the operator can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySecret:
    """Check that the secret is the one that the database has recorded. Record the first secret of a database.

    Raises:
        OtherSecret: the secret is another one.
    """

    deployments: Deployments

    async def __call__(self, check: bytes) -> None:
        """`check` is the check value of the secret of this process."""
        if (await self.deployments.read()).secret_check is None:
            await self.deployments.record_secret(check)
        # Read again, because another server may have recorded its secret in the meantime. The first record stays.
        require_same_secret((await self.deployments.read()).secret_check, check)


def require_same_secret(known: bytes | None, check: bytes) -> None:
    """Return if `check` is the recorded check value.

    Raises:
        OtherSecret: they differ.
    """
    if known != check:
        raise OtherSecret(
            "the secret of this process is not the one that the database knows. Set DOSSIER_SECRET to the secret of "
            "the other servers, or copy the file 'secret' from their data directory. If that secret is lost or shall "
            "be replaced, stop all servers and run 'dossier rotate-secret'"
        )
