// The steps of an integrator, in order, on openapi-fetch and the types that openapi-typescript generates
// (`schema.d.ts`). Arguments: the address and the API key.
import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [baseUrl, key] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

// Upload.
const content = "Signed on Friday.";
const upload = await api.POST("/v1/documents/upload-url", {
  body: { name: "contract.txt", mime_type: "text/plain", size_bytes: content.length },
});
assert(upload.data);
const link = upload.data.data;
assert.equal((await fetch(link.upload_url, { method: link.method, headers: link.headers, body: content })).status, 200);

// Record twice, as after a lost answer.
const body: components["schemas"]["CreateDocumentBody"] = {
  name: "contract.txt", mime_type: "text/plain", storage_path: link.storage_path, folder: "/clients/acme",
  tags: ["contract"],
};
const attempt = randomUUID();
const record = () => api.POST("/v1/documents", { body, params: { header: { "Idempotency-Key": attempt } } });
const first = await record();
const again = await record();
assert(first.data);
assert.deepEqual([first.response.status, again.response.status], [201, 201]);
assert.deepEqual(first.data, again.data);
assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
const document = first.data.data;
assert.equal(document.description, null);

// A refusal names its cause.
const refused = await api.POST("/v1/documents", { body });
assert.equal(refused.error?.error.code, "storage_conflict");

// Search by a filter, and walk with the cursor.
const found = await api.GET("/v1/documents", { params: { query: { tag: ["contract"], search: "CONTRACT" } } });
assert.deepEqual(found.data?.data.documents.map((each) => each.id), [document.id]);
const seen: string[] = [];
let cursor: string | null = null;
do {
  const page: { data?: components["schemas"]["FoundDocuments"] } = await api.GET("/v1/documents", {
    params: { query: { per_page: 1, ...(cursor === null ? {} : { cursor }) } },
  });
  assert(page.data);
  seen.push(...page.data.data.documents.map((each) => each.id));
  cursor = page.data.meta.next_cursor;
} while (cursor !== null);
assert.deepEqual(seen, [document.id]);

// Change, unless another client has.
const path = { document_id: document.id };
const read = await api.GET("/v1/documents/{document_id}", { params: { path } });
assert(read.data?.data.download_url);
assert.equal(await (await fetch(read.data.data.download_url)).text(), content);
const change = () =>
  api.PATCH("/v1/documents/{document_id}", {
    params: { path, header: { "If-Match": read.response.headers.get("ETag") ?? "" } },
    body: { description: "Countersigned.", tags: null },
  });
const changed = await change();
assert.deepEqual([changed.data?.data.description, changed.data?.data.tags], ["Countersigned.", []]);
assert.equal((await change()).error?.error.code, "precondition_failed");

// Link, and back.
const linked = await api.POST("/v1/documents/{document_id}/link", {
  params: { path },
  body: { entity_type: "deal", entity_id: "d-17", role: "signed" },
});
assert(linked.data);
const deal = await api.GET("/v1/deals/{entity_id}/documents", { params: { path: { entity_id: "d-17" } } });
assert.deepEqual(deal.data?.data.documents.map((each) => each.role), ["signed"]);
const unlinked = await api.DELETE("/v1/documents/{document_id}/link/{link_id}", {
  params: { path: { ...path, link_id: linked.data.data.link_id } },
});
assert.equal(unlinked.response.status, 204);

// Delete.
const deleted = await api.DELETE("/v1/documents/{document_id}", {
  params: { path, header: { "Idempotency-Key": randomUUID() } },
});
assert.equal(deleted.response.status, 204);
assert.equal((await api.GET("/v1/usage")).data?.data.used_bytes, 0);
console.log("done");
