-- Return the number of documents in a folder and below it. It is exact if there are at most `most` documents in at most
-- `most` folders; otherwise there are more documents than `documents`, or there may be.
CREATE FUNCTION count_documents_within(
    workspace uuid, folder uuid, most integer, OUT documents bigint, OUT is_exact boolean
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
DECLARE
    level uuid[] := ARRAY[folder];
    folders bigint := 0;
BEGIN
    documents := 0;
    is_exact := true;
    WHILE level <> '{}' AND is_exact LOOP
        folders := folders + cardinality(level);
        documents := documents + (
            SELECT count(*) FROM (
                -- BETWEEN and ORDER BY: see `have_documents`.
                SELECT FROM unnest(level) AS inside CROSS JOIN LATERAL (
                    SELECT FROM documents AS held
                    WHERE held.workspace_id = workspace AND held.folder_id BETWEEN inside AND inside
                    ORDER BY held.folder_id
                    LIMIT most + 1 - count_documents_within.documents
                ) AS one
                LIMIT most + 1 - count_documents_within.documents
            ) AS counted
        );
        level := ARRAY(
            SELECT id FROM folder_tree WHERE workspace_id = workspace AND parent_id = ANY (level)
            LIMIT most + 1 - folders
        );
        is_exact := documents <= most AND folders + cardinality(level) <= most;
    END LOOP;
    documents := least(documents, most);
END
$$;
