"""The operations of the service, one class each. `UseCases` lists them all, built from one `Ports` record.

A use case has no `try`, logs nothing and knows no status code. The docstring of an API operation is its description in
the OpenAPI document. `permission` is the permission that the caller's API key must have.
"""

from dataclasses import dataclass
from datetime import timedelta

from domain.rate_limits import Plans
from domain.retention import EVENTS_KEPT
from domain.uploads import USUAL_RULES, UploadRules
from domain.use_cases.admit_request import AdmitRequest
from domain.use_cases.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey
from domain.use_cases.change_document import DeleteDocument, PatchDocument
from domain.use_cases.claim_store import AdoptStore, ClaimStore
from domain.use_cases.compare_store import CompareStore
from domain.use_cases.create_document import CreateDocument
from domain.use_cases.delete_expired import DeleteExpired
from domain.use_cases.delete_folder import DeleteFolder
from domain.use_cases.find_documents import FindDocuments, FindLinkedDocuments, ListFolders, ListTags
from domain.use_cases.generations import AdvanceGeneration
from domain.use_cases.get_document import GetDocument
from domain.use_cases.get_usage import GetUsage
from domain.use_cases.link_document import LinkDocument, UnlinkDocument
from domain.use_cases.move_folder import MoveFolder
from domain.use_cases.provision import CreateWorkspace, MintApiKey, UpdateWorkspace
from domain.use_cases.receive_upload import ReceiveUpload
from domain.use_cases.request_upload import RequestUpload
from domain.use_cases.sweep import Sweep
from domain.use_cases.verify_secret import VerifySecret
from ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """Every use case: those of the API first, in the order of a document's life, then those of operators.

    `receive_upload` is `None` if clients send their uploads to the object store itself.
    """

    admit_request: AdmitRequest
    request_upload: RequestUpload
    receive_upload: ReceiveUpload | None
    create_document: CreateDocument
    get_document: GetDocument
    find_documents: FindDocuments
    patch_document: PatchDocument
    delete_document: DeleteDocument
    link_document: LinkDocument
    unlink_document: UnlinkDocument
    find_linked_documents: FindLinkedDocuments
    list_folders: ListFolders
    move_folder: MoveFolder
    delete_folder: DeleteFolder
    list_tags: ListTags
    get_usage: GetUsage
    create_api_key: CreateApiKey
    list_api_keys: ListApiKeys
    revoke_api_key: RevokeApiKey

    create_workspace: CreateWorkspace
    update_workspace: UpdateWorkspace
    mint_api_key: MintApiKey
    verify_secret: VerifySecret
    claim_store: ClaimStore
    compare_store: CompareStore
    advance_generation: AdvanceGeneration
    adopt_store: AdoptStore
    sweep: Sweep

    @classmethod
    def of(
        cls,
        ports: Ports,
        plans: Plans,
        uploads: UploadRules = USUAL_RULES,
        events_kept: timedelta | None = EVENTS_KEPT,
    ) -> "UseCases":
        """Return every use case on these ports.

        `plans` are the rate limits of the deployment, `events_kept` is how long events are kept (`None`: for ever).
        """
        documents, storage, now, new_id = ports.documents, ports.storage, ports.now, ports.new_id
        served = ports.served_storage
        return cls(
            admit_request=AdmitRequest(
                keys=ports.api_key_lookup, uses=ports.api_key_uses, limiter=ports.limiter, plans=plans, now=now
            ),
            request_upload=RequestUpload(
                documents=documents, storage=storage, disks=ports.disks, rules=uploads, now=now, new_id=new_id
            ),
            receive_upload=None
            if served is None
            else ReceiveUpload(ledger=ports.ledger, storage=served, disks=ports.disks, now=now),
            create_document=CreateDocument(documents=documents, storage=storage, now=now, new_id=new_id),
            get_document=GetDocument(documents=documents, storage=storage, now=now),
            find_documents=FindDocuments(documents=documents),
            patch_document=PatchDocument(documents=documents, now=now),
            delete_document=DeleteDocument(documents=documents, storage=storage, deletions=ports.deletions, now=now),
            link_document=LinkDocument(documents=documents, now=now, new_id=new_id),
            unlink_document=UnlinkDocument(documents=documents, now=now),
            find_linked_documents=FindLinkedDocuments(documents=documents),
            list_folders=ListFolders(documents=documents),
            move_folder=MoveFolder(documents=documents, now=now),
            delete_folder=DeleteFolder(documents=documents, now=now),
            list_tags=ListTags(documents=documents),
            get_usage=GetUsage(documents=documents),
            create_api_key=CreateApiKey(
                keys=ports.api_keys, sealing=ports.sealing, now=now, new_id=new_id, new_secret=ports.new_secret
            ),
            list_api_keys=ListApiKeys(keys=ports.api_keys),
            revoke_api_key=RevokeApiKey(keys=ports.api_keys, lookup=ports.api_key_lookup, now=now),
            create_workspace=CreateWorkspace(workspaces=ports.workspaces, now=now, new_id=new_id),
            update_workspace=UpdateWorkspace(workspaces=ports.workspaces),
            mint_api_key=MintApiKey(
                workspaces=ports.workspaces, keys=ports.api_keys, now=now, new_id=new_id, new_secret=ports.new_secret
            ),
            verify_secret=VerifySecret(deployments=ports.deployments),
            claim_store=ClaimStore(
                workspaces=ports.workspaces,
                ledger=ports.ledger,
                deployments=ports.deployments,
                storage=storage,
                now=now,
            ),
            compare_store=CompareStore(
                workspaces=ports.workspaces, documents=documents, ledger=ports.ledger, storage=storage
            ),
            advance_generation=AdvanceGeneration(
                deployments=ports.deployments, storage=storage, new_token=ports.new_secret
            ),
            adopt_store=AdoptStore(deployments=ports.deployments, storage=storage, now=now),
            sweep=Sweep(
                workspaces=ports.workspaces,
                ledger=ports.ledger,
                storage=storage,
                deployments=ports.deployments,
                delete_expired=DeleteExpired(retention=ports.retention, events_kept=events_kept, now=now),
                now=now,
                new_token=ports.new_secret,
            ),
        )
