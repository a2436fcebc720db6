-- Begin a change of one document, as `begin_change` does, and return the document. Without such a document the outcome
-- is 'unknown'. If `expected_revisions` is not null and lacks the revision of the document, it is 'other_revision'.
CREATE FUNCTION begin_document_change(
    workspace uuid, sought uuid, expected_revisions integer[], at timestamptz, intent jsonb,
    OUT outcome text, OUT facts jsonb, OUT document documents
)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    SELECT * INTO outcome, facts FROM begin_change(workspace, intent, at);
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO document FROM documents WHERE workspace_id = workspace AND id = sought;
    IF NOT FOUND THEN
        outcome := 'unknown';
    ELSIF document.revision <> ALL (expected_revisions) THEN
        outcome := 'other_revision';
    END IF;
END
$$;
