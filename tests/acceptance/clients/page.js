// What a page of another origin can do: upload, record, read, change and delete. It is given the address and an API key,
// and returns what it could read.
async (address, key) => {
  const send = (method, path, body, headers = {}) =>
    fetch(address + path, {
      method,
      headers: {
        Authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  const statuses = {};
  const data = async (step, response) => {
    statuses[step] = response.status;
    return (await response.json()).data;
  };

  const file = new File(["Signed on Friday."], "Größe.txt", { type: "text/plain" });
  const members = { name: file.name, mime_type: file.type, size_bytes: file.size };
  const { upload_url, method, headers, storage_path } = await data(
    "sign", await send("POST", "/v1/documents/upload-url", members));
  delete headers["Content-Length"];
  const upload = () => fetch(upload_url, { method, headers, body: file });
  const uploaded = await upload();
  statuses["upload"] = uploaded.status;
  statuses["upload again"] = (await upload()).status;

  const attempt = { "Idempotency-Key": crypto.randomUUID() };
  const create = () => send("POST", "/v1/documents", { ...members, storage_path }, attempt);
  const created = await create();
  const { id } = await data("create", created);
  const again = await create();
  statuses["create again"] = again.status;

  const path = `/v1/documents/${id}`;
  const read = await send("GET", path);
  const { download_url } = await data("read", read);
  const tag = read.headers.get("ETag");
  statuses["read unchanged"] = (await send("GET", path, undefined, { "If-None-Match": tag })).status;
  statuses["change"] = (await send("PATCH", path, { folder: "/a" }, { "If-Match": tag })).status;
  statuses["change late"] = (await send("PATCH", path, { folder: "/b" }, { "If-Match": tag })).status;
  statuses["wrong member"] = (await send("PATCH", path, { nme: "a" })).status;

  const downloaded = await fetch(download_url);
  const text = await downloaded.text();
  const part = await fetch(download_url, { headers: { Range: "bytes=0-5" } });
  statuses["part"] = part.status;
  statuses["unchanged download"] = (
    await fetch(download_url, { headers: { "If-None-Match": downloaded.headers.get("ETag") } })).status;
  statuses["move"] = (await send("PATCH", "/v1/folders", { from: "/a", to: "/b" })).status;
  statuses["delete"] = (await send("DELETE", path)).status;
  statuses["read deleted"] = (await send("GET", path)).status;
  statuses["without a key"] = (await fetch(`${address}/v1/usage`)).status;

  const names = {
    upload: [uploaded, ["ETag", "X-Request-ID"]],
    create: [created, ["Location", "X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]],
    read: [read, ["ETag"]],
    again: [again, ["Idempotent-Replayed", "Location"]],
    download: [downloaded, ["ETag", "Content-Disposition", "Accept-Ranges", "Last-Modified"]],
    part: [part, ["Content-Range", "Content-Length"]],
  };
  const unread = Object.entries(names).flatMap(([step, [response, wanted]]) =>
    wanted.filter((name) => response.headers.get(name) === null).map((name) => `${step}: ${name}`));
  return { statuses, text, part: await part.text(), unread };
}
