"""The steps of an integration, in order, with the client that openapi-python-client generates.

Arguments: the address and the API key. The generated package, `generated_client`, is on the path.
"""

import sys
from uuid import uuid4

import httpx
from generated_client import AuthenticatedClient
from generated_client.api.documents import (
    create_document,
    delete_document,
    list_documents,
    patch_document,
    read_document,
    request_upload_url,
)
from generated_client.api.folders_and_tags import list_folders, list_tags
from generated_client.api.links import link_document, list_deal_documents, unlink_document
from generated_client.api.usage import get_usage
from generated_client.models import (
    CreateDocumentBody,
    EntityType,
    ErrorBody,
    LinkDocumentBody,
    PatchDocumentBody,
    RequestUploadBody,
)

url, key = sys.argv[1:]
client = AuthenticatedClient(url, key, raise_on_unexpected_status=True)

# Upload.
content = b"Signed on Friday."
link = request_upload_url.sync(
    client=client, body=RequestUploadBody("contract.txt", "text/plain", size_bytes=len(content))
).data
assert httpx.request(link.method, link.upload_url, headers=link.headers.to_dict(), content=content).status_code == 200

# Record twice, as a client does after a lost response.
body = CreateDocumentBody("contract.txt", "text/plain", link.storage_path, folder="/clients/acme", tags=["contract"])
attempt = str(uuid4())
first, again = [create_document.sync_detailed(client=client, body=body, idempotency_key=attempt) for _ in range(2)]
assert (first.status_code, again.status_code) == (201, 201)
assert first.parsed == again.parsed
assert again.headers["Idempotent-Replayed"] == "true"
document = first.parsed.data
assert (document.size_bytes, document.description, document.tags) == (len(content), None, ["contract"])
assert document.created_at.tzinfo is not None

# An error names its cause.
refused = create_document.sync(client=client, body=body)
assert isinstance(refused, ErrorBody)
assert (refused.error.code, refused.error.details.document_id) == ("storage_conflict", document.id)

# List with a filter, and follow the cursor.
found = list_documents.sync(client=client, tag=["contract"], search="CONTRACT", folder="/clients")
assert [each.id for each in found.data.documents] == [document.id]
page = list_documents.sync(client=client, per_page=1)
seen = [each.id for each in page.data.documents]
while page.meta.next_cursor is not None:
    page = list_documents.sync(client=client, per_page=1, cursor=page.meta.next_cursor)
    seen += [each.id for each in page.data.documents]
assert seen == [document.id]
assert [(each.folder, each.documents) for each in list_folders.sync(client=client).data.folders] == [("/clients", 1)]
assert [(each.name, each.count) for each in list_tags.sync(client=client).data.tags] == [("contract", 1)]

# Change the document, unless another client has changed it.
read = read_document.sync_detailed(document.id, client=client)
assert httpx.get(read.parsed.data.download_url).content == content
changes = PatchDocumentBody(description="Countersigned.", tags=None)
changed = patch_document.sync_detailed(document.id, client=client, body=changes, if_match=read.headers["ETag"])
assert (changed.parsed.data.description, changed.parsed.data.tags) == ("Countersigned.", [])
assert changed.parsed.data.name == "contract.txt"
late = patch_document.sync(document.id, client=client, body=changes, if_match=read.headers["ETag"])
assert late.error.code == "precondition_failed"

# Link twice, and remove the entity link.
deal = LinkDocumentBody(EntityType.DEAL, "d-17", role="signed")
links = [link_document.sync_detailed(document.id, client=client, body=deal) for _ in range(2)]
assert [each.status_code for each in links] == [201, 200]
assert [each.role for each in list_deal_documents.sync("d-17", client=client).data.documents] == ["signed"]
unlinked = unlink_document.sync_detailed(document.id, links[0].parsed.data.link_id, client=client)
assert unlinked.status_code == 204

# Delete.
assert delete_document.sync_detailed(document.id, client=client, idempotency_key=str(uuid4())).status_code == 204
assert read_document.sync(document.id, client=client).error.code == "not_found"
usage = get_usage.sync(client=client).data
assert (usage.used_bytes, usage.documents) == (0, 0)
sys.stdout.write("done\n")
