"""Every port in memory, for tests that need neither a database nor a disk."""

from adapters.in_process.deletions import QueuedDeletions
from adapters.in_process.metrics import PrometheusMetrics
from adapters.in_process.sealing import SaltedSealing
from adapters.in_process.system import Ulids, new_secret, utc_now
from adapters.memory.api_keys import MemoryApiKeys
from adapters.memory.deployments import MemoryDeployments
from adapters.memory.disks import MemoryDisks
from adapters.memory.documents import MemoryDocuments
from adapters.memory.ledger import MemoryLedger
from adapters.memory.rate_limit import MemoryRateLimiter
from adapters.memory.retention import MemoryRetention
from adapters.memory.storage import MemoryStorage
from adapters.memory.workspaces import MemoryWorkspaces
from ports import Ports
from ports.system import Clock


def memory_ports(now: Clock = utc_now, public_url: str = "http://testserver") -> Ports:
    """Return every port in memory, sharing one set of workspaces."""
    workspaces = MemoryWorkspaces()
    storage = MemoryStorage(public_url, now)
    documents = MemoryDocuments(workspaces, now)
    api_keys = MemoryApiKeys(workspaces, now)
    return Ports(
        workspaces=workspaces,
        api_keys=api_keys,
        api_key_lookup=api_keys,
        api_key_uses=api_keys,
        documents=documents,
        storage=storage,
        served_storage=storage,
        deletions=QueuedDeletions(storage),
        disks=MemoryDisks(),
        ledger=MemoryLedger(documents),
        retention=MemoryRetention(documents),
        deployments=MemoryDeployments(lambda: workspaces.changes),
        limiter=MemoryRateLimiter(),
        metrics=PrometheusMetrics(),
        sealing=SaltedSealing(bytes(32)),
        now=now,
        new_id=Ulids(),
        new_secret=new_secret,
        probes={"storage": storage.probe},
    )
