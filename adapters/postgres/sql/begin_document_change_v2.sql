-- Begin a change of one document, as `begin_change` does, and return the document. Without such a document the outcome
-- is 'unknown'. If the state of the document is not among `allowed` (null allows all), or is among `refused`, it is
-- 'other_state'.
CREATE FUNCTION begin_document_change_v2(
    workspace uuid, sought uuid, allowed text[], refused text[], at timestamptz, intent jsonb,
    OUT outcome text, OUT facts jsonb, OUT document documents
)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    state text;
BEGIN
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO document FROM documents WHERE workspace_id = workspace AND id = sought;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    state := document_state(
        document.revision,
        (SELECT path_digest FROM folders WHERE workspace_id = workspace AND id = document.folder_id)
    );
    IF state <> ALL (allowed) OR state = ANY (refused) THEN
        outcome := 'other_state';
    END IF;
END
$$;
