-- The current schema: what all migrations together create. Generated: `make generated` writes it.
-- The reasons are in migrations/, the functions and views one by one in sql/. This version calls no
-- superseded function: only servers of an earlier version do, while they run on the same database.

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

CREATE TABLE public.documents (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    mime_type text NOT NULL,
    storage_path text NOT NULL COLLATE pg_catalog."C",
    folder_id uuid,
    tags text[] NOT NULL COLLATE pg_catalog."C",
    search_text text NOT NULL,
    revision integer NOT NULL,
    created_by uuid NOT NULL,
    created_by_key uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.documents ALTER COLUMN search_text SET STORAGE EXTERNAL;

CREATE TABLE public.usage (
    workspace_id uuid NOT NULL,
    quota_bytes bigint NOT NULL,
    used_bytes bigint DEFAULT 0 NOT NULL,
    documents bigint DEFAULT 0 NOT NULL,
    next_seq bigint DEFAULT 1 NOT NULL,
    reserved_bytes bigint DEFAULT 0 NOT NULL,
    folders bigint DEFAULT 0 NOT NULL,
    CONSTRAINT usage_documents_check CHECK ((documents >= 0)),
    CONSTRAINT usage_folders_check CHECK ((folders >= 0)),
    CONSTRAINT usage_quota_bytes_check CHECK ((quota_bytes >= 0)),
    CONSTRAINT usage_reserved_bytes_check CHECK ((reserved_bytes >= 0)),
    CONSTRAINT usage_used_bytes_check CHECK ((used_bytes >= 0))
)
WITH (fillfactor='50');

CREATE TABLE public.api_keys (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    search_text text DEFAULT ''::text NOT NULL,
    prefix text NOT NULL,
    digest bytea NOT NULL,
    permissions text[] NOT NULL,
    tier text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_keys_digest_check CHECK ((octet_length(digest) = 32))
);

CREATE SEQUENCE public.change_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.deployment (
    single boolean DEFAULT true NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    claimed_at timestamp with time zone,
    generation text DEFAULT gen_random_uuid() NOT NULL,
    next_generation text,
    swept_at timestamp with time zone,
    secret_check bytea,
    changes_marked bigint,
    issued_since timestamp with time zone DEFAULT now() NOT NULL,
    sweep_began_at timestamp with time zone,
    CONSTRAINT deployment_secret_check_check CHECK ((octet_length(secret_check) = 32)),
    CONSTRAINT deployment_single_check CHECK (single)
);

CREATE TABLE public.folder_tree (
    workspace_id uuid CONSTRAINT folders_workspace_id_not_null NOT NULL,
    id uuid CONSTRAINT folders_id_not_null NOT NULL,
    parent_id uuid,
    name text CONSTRAINT folders_name_not_null NOT NULL COLLATE pg_catalog."C",
    height smallint DEFAULT 0 CONSTRAINT folders_height_not_null NOT NULL,
    CONSTRAINT folder_tree_name_check CHECK (((name <> ''::text) AND (strpos(name, '/'::text) = 0)))
);

CREATE VIEW public.folders AS
 SELECT workspace_id,
    id,
    path,
    sha256(convert_to(path, 'UTF8'::name)) AS path_digest
   FROM ( SELECT folder_tree.workspace_id,
            folder_tree.id,
            ( WITH RECURSIVE upwards AS (
                         SELECT folder_tree.parent_id AS above,
                            ('/'::text || folder_tree.name) AS path
                        UNION ALL
                         SELECT parent.parent_id,
                            (('/'::text || parent.name) || upwards_1.path)
                           FROM (upwards upwards_1
                             JOIN public.folder_tree parent ON (((parent.workspace_id = folder_tree.workspace_id) AND (parent.id = upwards_1.above))))
                        )
                 SELECT upwards.path
                   FROM upwards
                  WHERE (upwards.above IS NULL)) AS path
           FROM public.folder_tree) composed;

CREATE TABLE public.objects (
    workspace_id uuid NOT NULL,
    storage_path text NOT NULL COLLATE pg_catalog."C",
    store text DEFAULT 'default'::text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea,
    etag text NOT NULL,
    version_id text,
    document_id uuid,
    state text NOT NULL,
    condemned_at timestamp with time zone,
    delete_again_at timestamp with time zone,
    CONSTRAINT objects_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT objects_size_bytes_check CHECK ((size_bytes >= 0)),
    CONSTRAINT objects_state_check CHECK ((state = ANY (ARRAY['recorded'::text, 'condemned'::text, 'gone'::text])))
);

CREATE VIEW public.document_facts AS
 SELECT d.workspace_id,
    d.id,
    jsonb_build_object('id', d.id, 'workspace_id', d.workspace_id, 'name', d.name, 'description', d.description, 'mime_type', d.mime_type, 'storage_path', d.storage_path, 'size_bytes', o.size_bytes, 'etag', o.etag, 'sha256', encode(o.sha256, 'hex'::text), 'version_id', o.version_id, 'folder', f.path, 'tags', d.tags, 'revision', d.revision, 'created_by', d.created_by, 'created_by_key', d.created_by_key, 'created_at', d.created_at, 'updated_at', d.updated_at) AS facts
   FROM ((public.documents d
     JOIN public.objects o ON (((o.workspace_id = d.workspace_id) AND (o.storage_path = d.storage_path))))
     LEFT JOIN public.folders f ON (((f.workspace_id = d.workspace_id) AND (f.id = d.folder_id))));

CREATE TABLE public.entity_links (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    entity_type text NOT NULL COLLATE pg_catalog."C",
    entity_id text NOT NULL COLLATE pg_catalog."C",
    role text COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL
);

CREATE VIEW public.document_with_entities_facts AS
 SELECT workspace_id,
    id,
    jsonb_build_object('document', facts, 'entities', ( SELECT COALESCE(jsonb_agg(jsonb_build_array(l.entity_type, l.entity_id) ORDER BY l.id), '[]'::jsonb) AS "coalesce"
           FROM public.entity_links l
          WHERE ((l.workspace_id = d.workspace_id) AND (l.document_id = d.id)))) AS facts
   FROM public.document_facts d;

CREATE VIEW public.entity_link_facts AS
 SELECT workspace_id,
    id,
    document_id,
    entity_type,
    entity_id,
    role,
    jsonb_build_object('id', id, 'document_id', document_id, 'entity_type', entity_type, 'entity_id', entity_id, 'role', role, 'created_at', created_at) AS facts
   FROM public.entity_links;

CREATE VIEW public.document_with_links_facts AS
 SELECT workspace_id,
    id,
    jsonb_build_object('document', facts, 'links', ( SELECT COALESCE(jsonb_agg(l.facts ORDER BY l.id), '[]'::jsonb) AS "coalesce"
           FROM public.entity_link_facts l
          WHERE ((l.workspace_id = d.workspace_id) AND (l.document_id = d.id)))) AS facts
   FROM public.document_facts d;

CREATE TABLE public.events (
    workspace_id uuid NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    document_id uuid,
    user_id uuid,
    key_id uuid,
    request_id text NOT NULL,
    data jsonb
);

CREATE TABLE public.receipts (
    workspace_id uuid NOT NULL,
    key_hash uuid NOT NULL,
    operation text NOT NULL,
    fingerprint bytea NOT NULL,
    facts jsonb NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT receipts_fingerprint_check CHECK ((octet_length(fingerprint) = 32))
);

CREATE TABLE public.uploads (
    workspace_id uuid NOT NULL,
    storage_path text NOT NULL COLLATE pg_catalog."C",
    reserved_bytes bigint NOT NULL,
    held_until timestamp with time zone NOT NULL,
    CONSTRAINT uploads_reserved_bytes_check CHECK ((reserved_bytes >= 0))
);

CREATE TABLE public.workspaces (
    id uuid NOT NULL,
    name text NOT NULL,
    owner_id uuid NOT NULL,
    plan text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (workspace_id, id);

ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (workspace_id, id);

ALTER TABLE ONLY public.entity_links
    ADD CONSTRAINT entity_links_pkey PRIMARY KEY (workspace_id, id);

ALTER TABLE ONLY public.entity_links
    ADD CONSTRAINT entity_links_workspace_id_document_id_entity_type_entity_id_key UNIQUE (workspace_id, document_id, entity_type, entity_id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (workspace_id, seq, at);

ALTER TABLE ONLY public.folder_tree
    ADD CONSTRAINT folder_tree_pkey PRIMARY KEY (workspace_id, id);

ALTER TABLE ONLY public.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (workspace_id, storage_path);

ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (workspace_id, key_hash);

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (workspace_id, storage_path);

ALTER TABLE ONLY public.usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (workspace_id);

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);

CREATE INDEX api_keys_digest ON public.api_keys USING btree (digest);

CREATE INDEX documents_folder ON public.documents USING btree (workspace_id, folder_id, id);

CREATE INDEX documents_grams ON public.documents USING gin (public.search_grams(workspace_id, search_text)) WITH (gin_pending_list_limit='1024') WHERE (octet_length(search_text) > char_length(search_text));

CREATE INDEX documents_mime_type ON public.documents USING btree (workspace_id, mime_type, id);

CREATE INDEX documents_search ON public.documents USING gin (search_text public.gin_trgm_ops) WITH (gin_pending_list_limit='1024');

CREATE INDEX documents_tags ON public.documents USING gin (public.workspace_tags(workspace_id, tags)) WITH (gin_pending_list_limit='1024');

CREATE INDEX entity_links_entity ON public.entity_links USING btree (workspace_id, entity_type, entity_id, id);

CREATE INDEX folder_tree_below ON public.folder_tree USING btree (workspace_id, parent_id, height) INCLUDE (id);

CREATE UNIQUE INDEX folder_tree_name ON public.folder_tree USING btree (workspace_id, COALESCE(parent_id, workspace_id), name) INCLUDE (parent_id);

CREATE INDEX objects_condemned ON public.objects USING btree (workspace_id, storage_path) WHERE (state = 'condemned'::text);

CREATE INDEX objects_sha256 ON public.objects USING btree (workspace_id, sha256) WHERE ((state = 'recorded'::text) AND (sha256 IS NOT NULL));

CREATE INDEX objects_unused ON public.objects USING btree (condemned_at) WHERE ((state = 'gone'::text) AND (document_id IS NULL));

CREATE TRIGGER api_keys_changed AFTER DELETE OR UPDATE OF workspace_id, id, user_id, digest, permissions, tier, created_at, expires_at, revoked_at ON public.api_keys FOR EACH ROW EXECUTE FUNCTION public.report_api_keys('workspace_id');

CREATE TRIGGER folders_came AFTER INSERT ON public.folder_tree REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.settle_folders();

CREATE TRIGGER folders_deleted AFTER DELETE ON public.folder_tree REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_folders();

CREATE TRIGGER folders_inserted AFTER INSERT ON public.folder_tree REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_folders();

CREATE TRIGGER folders_kept AFTER DELETE ON public.folder_tree REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.keep_used_folders();

CREATE TRIGGER folders_left AFTER DELETE ON public.folder_tree REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.settle_folders();

CREATE TRIGGER usage_numbered BEFORE UPDATE OF next_seq ON public.usage FOR EACH STATEMENT EXECUTE FUNCTION public.count_change();

CREATE TRIGGER workspaces_changed AFTER UPDATE OF plan ON public.workspaces FOR EACH ROW WHEN ((old.plan IS DISTINCT FROM new.plan)) EXECUTE FUNCTION public.report_api_keys('id');

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_workspace_id_storage_path_fkey FOREIGN KEY (workspace_id, storage_path) REFERENCES public.objects(workspace_id, storage_path);

ALTER TABLE ONLY public.entity_links
    ADD CONSTRAINT entity_links_workspace_id_document_id_fkey FOREIGN KEY (workspace_id, document_id) REFERENCES public.documents(workspace_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.entity_links
    ADD CONSTRAINT entity_links_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.folder_tree
    ADD CONSTRAINT folders_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.objects
    ADD CONSTRAINT objects_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

ALTER TABLE ONLY public.usage
    ADD CONSTRAINT usage_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);

-- FUNCTION add_api_key(uuid, jsonb, jsonb, jsonb)
-- FUNCTION add_entity_link(uuid, jsonb, jsonb) -- superseded by add_entity_link_v2
-- FUNCTION add_entity_link_v2(uuid, jsonb, integer, jsonb)
-- FUNCTION begin_change(uuid, jsonb, timestamp with time zone)
-- FUNCTION begin_document_change(uuid, uuid, integer[], timestamp with time zone, jsonb) -- superseded by begin_document_change_v2
-- FUNCTION begin_document_change_v2(uuid, uuid, text[], text[], timestamp with time zone, jsonb)
-- FUNCTION condemn_objects(uuid, jsonb, timestamp with time zone) -- superseded by condemn_objects_v2
-- FUNCTION condemn_objects_v2(uuid, jsonb, timestamp with time zone)
-- FUNCTION count_change()
-- FUNCTION count_documents_within(uuid, uuid, integer)
-- FUNCTION count_folders()
-- FUNCTION delete_document(uuid, uuid, integer[], timestamp with time zone, jsonb) -- superseded by delete_document_v2
-- FUNCTION delete_document_v2(uuid, uuid, text[], text[], timestamp with time zone, jsonb)
-- FUNCTION delete_empty_folders(uuid, uuid[])
-- FUNCTION delete_folder(uuid, text, timestamp with time zone, jsonb) -- superseded by delete_folder_v2
-- FUNCTION delete_folder_v2(uuid, text, timestamp with time zone, jsonb)
-- FUNCTION document_state(integer, bytea)
-- FUNCTION ensure_folders(uuid, text[]) -- superseded by ensure_folders_v2
-- FUNCTION ensure_folders_v2(uuid, text[])
-- FUNCTION find_documents(uuid, jsonb, uuid, bigint, integer, integer, integer) -- superseded by find_documents_v2
-- FUNCTION find_documents_v2(uuid, jsonb, uuid, bigint, integer, integer, integer) -- superseded by find_documents_v3
-- FUNCTION find_documents_v3(uuid, jsonb, uuid, bigint, integer, integer, integer)
-- FUNCTION find_folder(uuid, text)
-- FUNCTION find_receipt(uuid, uuid, text, text, timestamp with time zone)
-- FUNCTION finish_change(uuid, jsonb, timestamp with time zone, jsonb, text, uuid, jsonb)
-- FUNCTION folders_within(uuid, text) -- superseded by folders_within_v2
-- FUNCTION folders_within_v2(uuid, uuid)
-- FUNCTION has_room_for_folder(uuid, text, integer)
-- FUNCTION have_documents(uuid, uuid[])
-- FUNCTION is_within(text, text)
-- FUNCTION issue_uploads(uuid[], jsonb, boolean)
-- FUNCTION keep_used_folders()
-- FUNCTION linked_documents(uuid, text, text, text, bigint, integer)
-- FUNCTION list_folders(uuid, text, bigint, integer) -- superseded by list_folders_v2
-- FUNCTION list_folders_v2(uuid, text, bigint, integer)
-- FUNCTION list_tags(uuid, integer, bigint, integer)
-- FUNCTION missing_folders(uuid, text)
-- FUNCTION move_folder_v2(uuid, text, text, integer, timestamp with time zone, jsonb) -- superseded by move_folder_v3
-- FUNCTION move_folder_v3(uuid, text, text, integer, integer, integer, timestamp with time zone, jsonb)
-- FUNCTION patch_document(uuid, uuid, jsonb, integer[], timestamp with time zone, jsonb) -- superseded by patch_document_v2
-- FUNCTION patch_document_v2(uuid, uuid, jsonb, text[], text[], timestamp with time zone, jsonb) -- superseded by patch_document_v3
-- FUNCTION patch_document_v3(uuid, uuid, jsonb, text[], text[], integer, timestamp with time zone, jsonb)
-- FUNCTION read_documents(uuid[], uuid[])
-- FUNCTION read_usage(uuid[])
-- FUNCTION record_documents(uuid, jsonb) -- superseded by record_documents_v2
-- FUNCTION record_documents_v2(uuid[], jsonb, boolean, integer, integer)
-- FUNCTION recorded_changes()
-- FUNCTION remove_entity_link(uuid, uuid, uuid, timestamp with time zone, jsonb) -- superseded by remove_entity_link_v2
-- FUNCTION remove_entity_link_v2(uuid, uuid, uuid, timestamp with time zone, jsonb)
-- FUNCTION report_api_keys()
-- FUNCTION reserve_upload(uuid, text, bigint, timestamp with time zone)
-- FUNCTION revoke_api_key(uuid, uuid, timestamp with time zone, jsonb) -- superseded by revoke_api_key_v2
-- FUNCTION revoke_api_key_v2(uuid, uuid, timestamp with time zone, jsonb)
-- FUNCTION search_grams(uuid, text)
-- FUNCTION settle_folders()
-- FUNCTION settle_heights(uuid, uuid[])
-- FUNCTION settle_uploads(uuid, jsonb, timestamp with time zone, timestamp with time zone)
-- FUNCTION subtree_bounds(text)
-- FUNCTION workspace_tags(uuid, text[])
