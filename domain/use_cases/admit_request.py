"""Authenticate the caller of a request, and count the request against its rate limit."""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import assert_never

from domain.access import Caller, api_key_digest, client_network, is_wellformed_api_key
from domain.errors import InvalidKey, RateLimited
from domain.rate_limits import HIGH_TIER_FACTOR, Plans, Tier, Verdict, Window
from ports.api_keys import ApiKeyFound, ApiKeyLookup, ApiKeyUses
from ports.rate_limit import RateLimiter
from ports.system import Clock

GUESSES = (Window(60, 60),)
"""The limit on requests with a wrong API key from one network: 60 a minute."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The caller of a request, and the verdict on its rate limit. The request may be refused: `verdict.admitted`."""

    caller: Caller
    verdict: Verdict


def refusal_of(verdict: Verdict) -> RateLimited | None:
    """Return the refusal of a request that the verdict does not admit; `None` if it is admitted."""
    if (window := verdict.refused_by) is None:
        return None
    return RateLimited(verdict.retry_after, window.unit, window.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitRequest:
    """Find the caller who presents an API key, and count the request against the rate limit of the workspace's plan.

    - An API key that is missing, malformed, unknown, expired or revoked is refused, always in the same words.
    - A malformed API key causes no look-up.
    - Wrong API keys are counted by client network, right ones are not. So a client that guesses is stopped, and other
      clients behind the same address are not.
    - Once the network is over that limit, an API key that this process does not know is looked up patiently: all such
      look-ups together cause two calls a second. So further guesses cost nearly nothing, and a valid API key is still
      admitted.
    - An API key of tier `high` has ten times the plan's limits, in windows of its own; `unmetered` has none.

    Raises:
        InvalidKey: the request has no valid API key.
        RateLimited: the network has presented too many wrong API keys.
    """

    keys: ApiKeyLookup
    uses: ApiKeyUses
    limiter: RateLimiter
    plans: Plans
    now: Clock

    async def __call__(self, presented: str | None, address: str, request_id: str) -> Admission:
        if presented is None:
            raise InvalidKey
        at = self.now()
        found = await self._find(presented, address, at)
        if found is None or not found.key.is_active(at):
            raise await self._refusal(address, at)

        key = found.key
        self.uses.note(key.id, key.workspace_id, at)
        caller = Caller(
            workspace_id=key.workspace_id,
            user_id=key.user_id,
            key_id=key.id,
            permissions=key.permissions,
            tier=key.tier,
            expires_at=key.expires_at,
            request_id=request_id,
        )
        plan = self.plans[found.plan]
        match key.tier:
            case Tier.STANDARD:
                verdict = await self.limiter.acquire(key.workspace_id, plan, at)
            case Tier.HIGH:
                windows = [Window(window.limit * HIGH_TIER_FACTOR, window.seconds) for window in plan]
                verdict = await self.limiter.acquire(f"{key.workspace_id}:high", windows, at)
            case Tier.UNMETERED:
                verdict = Verdict.unmetered(plan, at)
            case _:
                assert_never(key.tier)
        return Admission(caller, verdict)

    async def _find(self, presented: str, address: str, at: datetime) -> ApiKeyFound | None:
        digest = api_key_digest(presented)
        found = self.keys.known(digest)
        if found is None:
            # An API key that is known was well-formed when it was looked up.
            if not is_wellformed_api_key(presented):
                return None
            patient = self.limiter.refuses(_guesses_of(address), GUESSES, at)
            found = await self.keys.look_up(digest, patient=patient)
        # The database compares digests in variable time. That reveals nothing, because a client cannot choose the
        # digest of its guess.
        return found if found is not None and compare_digest(found.key.digest, digest) else None

    async def _refusal(self, address: str, at: datetime) -> InvalidKey | RateLimited:
        """Count a wrong API key, and return its refusal."""
        subject = _guesses_of(address)
        if self.limiter.refuses(subject, GUESSES, at):
            verdict = Verdict.of(GUESSES, [window.limit for window in GUESSES], at)
        else:
            verdict = await self.limiter.acquire(subject, GUESSES, at)
        return refusal_of(verdict) or InvalidKey()


def _guesses_of(address: str) -> str:
    """Return the subject that counts the wrong API keys of an address."""
    return f"address:{client_network(address)}"
