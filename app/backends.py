"""Backends become services: every use case, on whatever was chosen for its ports."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.http.services import Probe, Services
from adapters.key_uses import KeyUses
from adapters.metrics import PrometheusMetrics
from domain.access import Plans
from domain.use_cases.admit_request import AdmitRequest
from domain.use_cases.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey
from domain.use_cases.change_document import DeleteDocument, PatchDocument
from domain.use_cases.claim_storage import AdoptStorage, ClaimStorage
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.find_documents import FindDocuments, FindLinkedDocuments, ListFolders, ListTags
from domain.use_cases.get_document import GetDocument
from domain.use_cases.get_usage import GetUsage
from domain.use_cases.links import LinkDocument, UnlinkDocument
from domain.use_cases.move_folder import MoveFolder
from domain.use_cases.provision import CreateWorkspace, MintKey, UpdateWorkspace
from domain.use_cases.request_upload import RequestUpload
from domain.use_cases.sweep import Sweep
from ports.deployment import Deployments
from ports.documents import DocumentRepository
from ports.keys import ApiKeys
from ports.ledger import ObjectLedger
from ports.rate_limit import RateLimiter
from ports.storage import LinkedStorage, ObjectStorage
from ports.system import Clock, NewId, NewSecret, Sealing
from ports.workspaces import Workspaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Every port, on whatever this deployment has chosen for it; and the rest that a use case takes."""

    workspaces: Workspaces
    keys: ApiKeys
    key_uses: KeyUses
    documents: DocumentRepository
    storage: ObjectStorage
    links: LinkedStorage | None
    ledger: ObjectLedger
    deployments: Deployments
    limiter: RateLimiter
    plans: Plans
    probes: Mapping[str, Probe]
    optional_probes: Mapping[str, Probe]
    metrics: PrometheusMetrics
    now: Clock
    new_id: NewId
    new_secret: NewSecret
    sealing: Sealing

    @property
    def create_workspace(self) -> CreateWorkspace:
        return CreateWorkspace(workspaces=self.workspaces, now=self.now, new_id=self.new_id)

    @property
    def update_workspace(self) -> UpdateWorkspace:
        return UpdateWorkspace(workspaces=self.workspaces)

    @property
    def mint_key(self) -> MintKey:
        return MintKey(
            workspaces=self.workspaces,
            keys=self.keys,
            now=self.now,
            new_id=self.new_id,
            new_secret=self.new_secret,
        )

    @property
    def claim_storage(self) -> ClaimStorage:
        return ClaimStorage(deployments=self.deployments, storage=self.storage, now=self.now)

    @property
    def adopt_storage(self) -> AdoptStorage:
        return AdoptStorage(deployments=self.deployments, storage=self.storage, now=self.now)

    @property
    def sweep(self) -> Sweep:
        return Sweep(
            workspaces=self.workspaces,
            ledger=self.ledger,
            storage=self.storage,
            deployments=self.deployments,
            now=self.now,
            new_token=self.new_secret,
        )

    def services(self) -> Services:
        """The use cases that HTTP answers with."""
        return Services(
            admit=AdmitRequest(
                keys=self.keys, uses=self.key_uses, limiter=self.limiter, plans=self.plans, now=self.now
            ),
            create_document=CreateDocument(
                documents=self.documents, storage=self.storage, now=self.now, new_id=self.new_id
            ),
            request_upload=RequestUpload(
                documents=self.documents, storage=self.storage, now=self.now, new_id=self.new_id
            ),
            get_document=GetDocument(documents=self.documents, storage=self.storage, now=self.now),
            find_documents=FindDocuments(documents=self.documents),
            patch_document=PatchDocument(documents=self.documents, now=self.now),
            delete_document=DeleteDocument(documents=self.documents, storage=self.storage, now=self.now),
            link_document=LinkDocument(documents=self.documents, now=self.now, new_id=self.new_id),
            unlink_document=UnlinkDocument(documents=self.documents, now=self.now),
            find_linked_documents=FindLinkedDocuments(documents=self.documents),
            list_folders=ListFolders(documents=self.documents),
            move_folder=MoveFolder(documents=self.documents, now=self.now),
            list_tags=ListTags(documents=self.documents),
            create_api_key=CreateApiKey(
                keys=self.keys,
                sealing=self.sealing,
                now=self.now,
                new_id=self.new_id,
                new_secret=self.new_secret,
            ),
            list_api_keys=ListApiKeys(keys=self.keys),
            revoke_api_key=RevokeApiKey(keys=self.keys, now=self.now),
            get_usage=GetUsage(documents=self.documents),
            links=self.links,
            probes=self.probes,
            optional_probes=self.optional_probes,
            metrics=self.metrics,
            now=self.now,
            new_id=self.new_id,
        )
