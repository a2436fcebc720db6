-- Record documents of one workspace, in the order given, each wholly or not at all; one outcome a row.
--
-- Locked first, looked second: whoever holds the usage row sees everything the workspace has committed, because every
-- statement in here takes a snapshot of its own (READ COMMITTED, which the pool sets) and every change to a workspace takes that row before anything else.
-- So an outcome is final, no unique key is ever violated, and there is nothing to deadlock on.
--
-- A row: {document, folders: [{id, path, digest}], key, operation, fingerprint, receipt_expires_at, request_id};
-- `document` is what a receipt keeps. Outcomes: created | replayed (facts: the document) | key_reused | path_taken (facts: document_id) |
-- over_quota (facts: limit_bytes, used_bytes, requested_bytes).
CREATE FUNCTION record_documents_v1(workspace uuid, batch jsonb)
RETURNS TABLE (ordinal integer, outcome text, facts jsonb)
LANGUAGE plpgsql VOLATILE
-- Plans are kept for the session: one made while the tables were empty must not scan them when they are full.
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    account usage%ROWTYPE;
    item jsonb;
    doc jsonb;
    doc_id uuid;
    at timestamptz;
    size bigint;
    answered receipts%ROWTYPE;
    known objects%ROWTYPE;
BEGIN
    SELECT * INTO account FROM usage WHERE workspace_id = workspace FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'workspace % does not exist', workspace;
    END IF;

    FOR position IN 1 .. jsonb_array_length(batch) LOOP
        item := batch -> (position - 1);
        ordinal := position;
        doc := item -> 'document';
        doc_id := (doc ->> 'id')::uuid;
        at := (doc ->> 'created_at')::timestamptz;
        size := (doc ->> 'size_bytes')::bigint;
        facts := NULL;

        -- A receipt answers first, even for a document deleted since; after 24 hours the key is free again.
        IF item ->> 'key' IS NOT NULL THEN
            DELETE FROM receipts
            WHERE workspace_id = workspace AND key = (item ->> 'key')::uuid AND expires_at <= at;
            SELECT * INTO answered FROM receipts WHERE workspace_id = workspace AND key = (item ->> 'key')::uuid;
            IF FOUND THEN
                IF answered.operation <> item ->> 'operation'
                    OR answered.fingerprint <> decode(item ->> 'fingerprint', 'hex')
                THEN
                    outcome := 'key_reused';
                ELSIF (answered.facts ->> 'id')::uuid = doc_id THEN
                    -- Our own earlier try, whose answer was lost on the way.
                    outcome := 'created';
                ELSE
                    outcome := 'replayed';
                    facts := answered.facts;
                END IF;
                RETURN NEXT;
                CONTINUE;
            END IF;
        END IF;

        SELECT * INTO known FROM objects
        WHERE workspace_id = workspace AND storage_path = doc ->> 'storage_path';
        IF FOUND THEN
            IF known.document_id = doc_id THEN
                outcome := 'created';
            ELSE
                outcome := 'path_taken';
                facts := jsonb_build_object(
                    'document_id', CASE WHEN known.state = 'recorded' THEN known.document_id END
                );
            END IF;
            RETURN NEXT;
            CONTINUE;
        END IF;

        -- Subtracted, not added: a sum could be more than a bigint holds.
        IF size > account.quota_bytes - account.used_bytes THEN
            outcome := 'over_quota';
            facts := jsonb_build_object(
                'limit_bytes', account.quota_bytes, 'used_bytes', account.used_bytes, 'requested_bytes', size
            );
            RETURN NEXT;
            CONTINUE;
        END IF;

        INSERT INTO folders (workspace_id, id, path, path_digest)
        SELECT workspace, (value ->> 'id')::uuid, value ->> 'path', decode(value ->> 'digest', 'hex')
        FROM jsonb_array_elements(item -> 'folders')
        ON CONFLICT (workspace_id, path_digest) DO NOTHING;

        INSERT INTO objects (workspace_id, storage_path, size_bytes, sha256, etag, version_id, document_id, state)
        VALUES (
            workspace, doc ->> 'storage_path', size, decode(doc ->> 'sha256', 'hex'), doc ->> 'etag',
            doc ->> 'version_id', doc_id, 'recorded'
        );

        INSERT INTO documents (
            workspace_id, id, name, description, mime_type, storage_path, folder_id, tags, search_text,
            revision, created_by, created_by_key, created_at, updated_at
        )
        VALUES (
            workspace, doc_id, doc ->> 'name', doc ->> 'description', doc ->> 'mime_type', doc ->> 'storage_path',
            (
                SELECT id FROM folders
                WHERE workspace_id = workspace
                    AND path_digest = decode(item -> 'folders' -> -1 ->> 'digest', 'hex')
            ),
            ARRAY(SELECT jsonb_array_elements_text(doc -> 'tags')), doc ->> 'search_text',
            (doc ->> 'revision')::integer, (doc ->> 'created_by')::uuid, (doc ->> 'created_by_key')::uuid,
            at, (doc ->> 'updated_at')::timestamptz
        );

        IF item ->> 'key' IS NOT NULL THEN
            INSERT INTO receipts (workspace_id, key, operation, fingerprint, facts, expires_at)
            VALUES (
                workspace, (item ->> 'key')::uuid, item ->> 'operation', decode(item ->> 'fingerprint', 'hex'),
                doc, (item ->> 'receipt_expires_at')::timestamptz
            );
        END IF;

        INSERT INTO events (workspace_id, seq, at, kind, document_id, user_id, key_id, request_id)
        VALUES (
            workspace, account.next_seq, at, 'document.created', doc_id, (doc ->> 'created_by')::uuid,
            (doc ->> 'created_by_key')::uuid, item ->> 'request_id'
        );

        account.used_bytes := account.used_bytes + size;
        account.documents := account.documents + 1;
        account.next_seq := account.next_seq + 1;
        outcome := 'created';
        RETURN NEXT;
    END LOOP;

    UPDATE usage
    SET used_bytes = account.used_bytes, documents = account.documents, next_seq = account.next_seq
    WHERE workspace_id = workspace AND next_seq < account.next_seq;
END
$$
