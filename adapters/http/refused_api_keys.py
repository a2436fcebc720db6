"""A log of refused API keys: one line a minute and client network, however many API keys a guesser tries."""

import logging
from datetime import datetime, timedelta

log = logging.getLogger("dossier.http")

INTERVAL = timedelta(minutes=1)

NETWORKS_MAX = 1000
"""The most networks that are logged in one interval, so that a guesser with many networks cannot fill the disk."""


class RefusedApiKeysLog:
    """Logs the first refused API key of each client network in each interval of a minute."""

    def __init__(self) -> None:
        self._ends: datetime | None = None
        self._logged: set[str] = set()

    def note(self, network: str, at: datetime) -> None:
        """Log that a client of this network presented a wrong API key, unless that was logged in this interval."""
        if self._ends is None or at >= self._ends:
            self._ends = at + INTERVAL
            self._logged.clear()
        if network in self._logged or len(self._logged) >= NETWORKS_MAX:
            return
        self._logged.add(network)
        log.warning("a wrong API key was refused from %s; more within a minute are not logged", network or "unknown")
