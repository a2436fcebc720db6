"""The interfaces that use cases call (Protocols), and the values that they exchange.

An adapter returns facts; the use case decides what they mean. The only exception an adapter raises is
`ports.system.Unavailable`. `Ports` lists every port.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ports.api_keys import ApiKeyLookup, ApiKeys, ApiKeyUses
from ports.deployment import Deployments
from ports.disks import Disks
from ports.documents import DocumentRepository
from ports.ledger import ObjectLedger
from ports.metrics import Metrics
from ports.rate_limit import RateLimiter
from ports.retention import Retention
from ports.storage import Deletions, ObjectStorage, ServedStorage
from ports.system import Clock, NewId, NewSecret, Probe, Sealing
from ports.workspaces import Workspaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Every port, each on the backend that the deployment has chosen.

    If the object store has no HTTP server of its own, Dossier serves its signed URLs, and `served_storage` is the same
    store. `probes` check the dependencies that every request needs; `optional_probes` check the dependencies without
    which requests are still answered. No name is in both.
    """

    workspaces: Workspaces
    api_keys: ApiKeys
    api_key_lookup: ApiKeyLookup
    api_key_uses: ApiKeyUses
    documents: DocumentRepository
    storage: ObjectStorage
    served_storage: ServedStorage | None
    deletions: Deletions
    disks: Disks
    ledger: ObjectLedger
    retention: Retention
    deployments: Deployments
    limiter: RateLimiter
    metrics: Metrics
    sealing: Sealing
    now: Clock
    new_id: NewId
    new_secret: NewSecret
    probes: Mapping[str, Probe] = field(default_factory=dict)
    optional_probes: Mapping[str, Probe] = field(default_factory=dict)
