-- Return whether a document is in one of these folders. Each folder is one look-up in the index of folders.
--
-- BETWEEN and ORDER BY leave the planner only this index. With `=`, if most documents are in one folder, it expects to
-- meet a match at once in the primary key, and then reads all documents of the workspace for each empty folder.
CREATE FUNCTION have_documents(workspace uuid, folders uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM unnest(folders) AS folder
        WHERE (
            SELECT documents.folder_id FROM documents
            WHERE documents.workspace_id = workspace AND documents.folder_id BETWEEN folder AND folder
            ORDER BY documents.folder_id LIMIT 1
        ) IS NOT NULL
    );
END
$$;
