-- Finds letters other than ASCII. A text of ASCII alone is not in the index, and costs a create nothing.
CREATE INDEX documents_grams ON documents USING gin (search_grams(workspace_id, search_text))
WITH (gin_pending_list_limit = 1024) WHERE octet_length(search_text) > char_length(search_text);

-- Finds documents by their bytes. It holds only paths that a document has now.
CREATE INDEX objects_sha256 ON objects (workspace_id, sha256) WHERE state = 'recorded' AND sha256 IS NOT NULL;
