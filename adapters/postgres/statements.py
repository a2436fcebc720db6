"""The SQL statements of this adapter. The functions and views that they call are in `sql/`."""

# Each function call is one transaction and one round trip.
RECORD_DOCUMENTS = "SELECT outcome, facts FROM record_documents_v2($1, $2, $3, $4, $5)"

ISSUE_UPLOADS = "SELECT outcome, facts FROM issue_uploads($1, $2, $3)"

RESERVE_UPLOAD = "SELECT outcome, facts FROM reserve_upload($1, $2, $3, $4)"

FIND_RECEIPT = "SELECT outcome, facts FROM find_receipt($1, $2, $3, $4, $5)"

READ_DOCUMENTS = "SELECT workspace_id, id, facts FROM read_documents($1, $2)"

FIND_DOCUMENTS = "SELECT * FROM find_documents_v3($1, $2, $3, $4, $5, $6, $7)"

LINKED_DOCUMENTS = "SELECT * FROM linked_documents($1, $2, $3, $4, $5, $6)"

LIST_FOLDERS = "SELECT * FROM list_folders_v2($1, $2, $3, $4)"

LIST_TAGS = "SELECT * FROM list_tags($1, $2, $3, $4)"

PATCH_DOCUMENT = "SELECT * FROM patch_document_v3($1, $2, $3, $4, $5, $6, $7, $8)"

DELETE_DOCUMENT = "SELECT * FROM delete_document_v2($1, $2, $3, $4, $5, $6)"

ADD_ENTITY_LINK = "SELECT * FROM add_entity_link_v2($1, $2, $3, $4)"

REMOVE_ENTITY_LINK = "SELECT * FROM remove_entity_link_v2($1, $2, $3, $4, $5)"

MOVE_FOLDER = "SELECT * FROM move_folder_v3($1, $2, $3, $4, $5, $6, $7, $8)"

DELETE_FOLDER = "SELECT * FROM delete_folder_v2($1, $2, $3, $4)"

READ_USAGE = "SELECT workspace_id, used_bytes, quota_bytes, documents, reserved_bytes FROM read_usage($1)"

# The index is not unique, but at most one row matches each digest: two SHA-256 digests do not collide.
FIND_API_KEYS = """
SELECT k.*, w.plan
FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id
WHERE k.digest = ANY ($1)
"""

NOTIFY = "SELECT pg_notify($1, $2)"

ADD_API_KEY = "SELECT outcome, facts FROM add_api_key($1, $2, $3, $4)"

REVOKE_API_KEY = "SELECT revoke_api_key_v2($1, $2, $3, $4) AS outcome"

LIST_API_KEYS = "SELECT * FROM api_keys WHERE (workspace_id, id) > ($1, $2) ORDER BY workspace_id, id LIMIT $3"

# `position` instead of LIKE, because the text may contain wildcards. A workspace has few API keys, so a scan is enough.
SEARCH_API_KEYS = """
SELECT *, count(*) OVER () AS total FROM api_keys
WHERE workspace_id = $1 AND position($2 IN search_text) > 0 AND ($3 OR revoked_at IS NULL)
ORDER BY id DESC OFFSET $4 LIMIT $5
"""

COUNT_API_KEYS = """
SELECT count(*) AS total FROM api_keys
WHERE workspace_id = $1 AND position($2 IN search_text) > 0 AND ($3 OR revoked_at IS NULL)
"""

# If several processes report uses of an API key within a minute, only the first use is written.
RECORD_API_KEY_USES = """
UPDATE api_keys SET last_used_at = used.at
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS used (workspace_id, id, at)
WHERE api_keys.workspace_id = used.workspace_id AND api_keys.id = used.id
    AND (last_used_at IS NULL OR last_used_at <= used.at - interval '1 minute')
"""

ADD_WORKSPACE = """
WITH workspace AS (
    INSERT INTO workspaces (id, name, owner_id, plan, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
)
INSERT INTO usage (workspace_id, quota_bytes) SELECT id, $6 FROM workspace
"""

READ_WORKSPACE = """
SELECT w.*, u.quota_bytes FROM workspaces w JOIN usage u ON u.workspace_id = w.id WHERE w.id = $1
"""

LIST_WORKSPACES = """
SELECT w.*, u.quota_bytes FROM workspaces w JOIN usage u ON u.workspace_id = w.id
WHERE w.id > $1 ORDER BY w.id LIMIT $2
"""

EXISTING_WORKSPACES = "SELECT id FROM workspaces WHERE id = ANY ($1)"

# Reads all API keys: a hundred thousand take a few hundredths of a second, once at each start. An index would make each
# recorded use slower.
RECENTLY_USED_WORKSPACES = """
SELECT workspace_id FROM api_keys GROUP BY workspace_id
ORDER BY max(last_used_at) DESC NULLS LAST LIMIT $1
"""

UPDATE_WORKSPACE = """
WITH quota AS (
    UPDATE usage SET quota_bytes = coalesce($3, quota_bytes) WHERE workspace_id = $1 RETURNING quota_bytes
), workspace AS (
    UPDATE workspaces SET plan = coalesce($2, plan) WHERE id = $1 RETURNING *
)
SELECT workspace.*, quota.quota_bytes FROM workspace, quota
"""

# These are the statements of the sweeper. Each change takes the workspace lock first, as a create does. The CTE takes
# the lock before any row is changed. If another transaction has changed a row meanwhile, Postgres checks the conditions
# on the row again.

READ_RECORDED_VERSIONS = """
SELECT storage_path, version_id FROM objects
WHERE workspace_id = $1 AND storage_path = ANY ($2) AND state = 'recorded' AND version_id IS NOT NULL
"""

# An issued path that an earlier version has recorded or condemned is in both tables. LIMIT 1 keeps the planner from
# turning the look-ups into a join, which could read all paths.
READ_PATH_STATES = """
SELECT asked.path AS storage_path, found.state
FROM unnest($1::uuid[], $2::text[]) AS asked (workspace_id, path)
CROSS JOIN LATERAL (
    SELECT coalesce(
        (
            SELECT state FROM objects
            WHERE objects.workspace_id = asked.workspace_id AND storage_path = asked.path COLLATE "C" LIMIT 1
        ),
        (
            SELECT 'issued' FROM uploads
            WHERE uploads.workspace_id = asked.workspace_id AND storage_path = asked.path COLLATE "C" LIMIT 1
        )
    ) AS state
) AS found
WHERE found.state IS NOT NULL
"""

CONDEMN = "SELECT path FROM condemn_objects_v2($1, $2, $3) AS path"

# Reads all issued uploads, in the order of the primary key: they are few, and an index by time would slow every upload.
LIST_UPLOADS = """
SELECT workspace_id, storage_path, reserved_bytes, held_until FROM uploads
WHERE (workspace_id, storage_path) > ($1, $2)
ORDER BY workspace_id, storage_path LIMIT $3
"""

SETTLE_UPLOADS = "SELECT settle_uploads($1, $2, $3, $4)"

# Reads all condemned paths, in the order of the index: they are those of about an hour, and those that the store holds.
LIST_CONDEMNED = """
SELECT workspace_id, storage_path, delete_again_at FROM objects
WHERE state = 'condemned' AND (workspace_id, storage_path) > ($1, $2)
ORDER BY workspace_id, storage_path LIMIT $3
"""

POSTPONE_DELETION = """
WITH account AS (SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE)
UPDATE objects SET delete_again_at = $3 FROM account
WHERE workspace_id = $1 AND storage_path = ANY ($2) AND state = 'condemned'
"""

FINALISE = """
WITH account AS (SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE)
UPDATE objects SET state = 'gone', delete_again_at = NULL FROM account
WHERE workspace_id = $1 AND storage_path = ANY ($2) AND state = 'condemned' AND condemned_at < $3
"""

# Each of these deletes a bounded number of rows in one transaction. What it deletes is used by no request.

# This reads all receipts in the order of the primary key. An index by time would make every create slower, to make one
# read every few hours faster.
LIST_RECEIPTS = """
SELECT workspace_id, key_hash, expires_at FROM receipts
WHERE (workspace_id, key_hash) > ($1, $2)
ORDER BY workspace_id, key_hash LIMIT $3
"""

DELETE_RECEIPTS = """
WITH account AS (SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE)
DELETE FROM receipts USING account
WHERE workspace_id = $1 AND key_hash = ANY ($2) AND expires_at <= $3
RETURNING key_hash
"""

# The oldest event of a workspace is the first of its numbers. Events need no lock: no write reads or changes one.
OLDEST_EVENTS = """
SELECT account.workspace_id, oldest.at
FROM (SELECT workspace_id FROM usage WHERE workspace_id > $1 ORDER BY workspace_id LIMIT $2) AS account
LEFT JOIN LATERAL (
    SELECT at FROM events WHERE events.workspace_id = account.workspace_id ORDER BY seq LIMIT 1
) AS oldest ON true
ORDER BY account.workspace_id
"""

# Deletes up to a number, so that no event is missing between those that stay, although the clocks of servers differ.
DELETE_EVENTS = """
WITH oldest AS MATERIALIZED (
    SELECT seq, at FROM events WHERE workspace_id = $1 ORDER BY seq LIMIT $3
), gone AS (
    DELETE FROM events WHERE workspace_id = $1 AND seq <= (SELECT max(seq) FROM oldest WHERE at < $2) RETURNING seq
)
SELECT count(*) AS deleted FROM gone
"""

LIST_UNUSED_PATHS = """
SELECT workspace_id, storage_path FROM objects
WHERE state = 'gone' AND document_id IS NULL AND condemned_at < $1
ORDER BY condemned_at LIMIT $2
"""

FORGET_UNUSED_PATHS = """
WITH account AS (SELECT FROM usage WHERE workspace_id = $1 FOR NO KEY UPDATE)
DELETE FROM objects USING account
WHERE workspace_id = $1 AND storage_path = ANY ($2) AND state = 'gone' AND document_id IS NULL AND condemned_at < $3
RETURNING storage_path
"""

_DEPLOYMENT = """
id, claimed_at, generation, next_generation, changes_marked, issued_since, swept_at, sweep_began_at, secret_check,
recorded.changes, recorded.is_settled
"""

GREATEST_PATHS = """
SELECT asked.workspace_id, max(found.storage_path) AS storage_path
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS asked (workspace_id, above, below)
CROSS JOIN LATERAL (
    (
        SELECT storage_path FROM objects
        WHERE objects.workspace_id = asked.workspace_id AND storage_path > asked.above AND storage_path < asked.below
        ORDER BY storage_path DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT storage_path FROM uploads
        WHERE uploads.workspace_id = asked.workspace_id AND storage_path > asked.above AND storage_path < asked.below
        ORDER BY storage_path DESC LIMIT 1
    )
) AS found
GROUP BY asked.workspace_id
"""

READ_DEPLOYMENT = f"SELECT {_DEPLOYMENT} FROM deployment, recorded_changes() AS recorded"  # noqa: S608  a constant

WORKSPACES_WITH_FOLDERS = """
SELECT workspace_id FROM usage WHERE folders > 0 AND workspace_id > $1 ORDER BY workspace_id LIMIT $2
"""

LIST_FOLDER_IDS = "SELECT id FROM folder_tree WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3"

DELETE_EMPTY_FOLDERS = "SELECT deleted, above FROM delete_empty_folders($1, $2)"

CLAIM = "UPDATE deployment SET claimed_at = $1"

ANNOUNCE_GENERATION = """
UPDATE deployment SET next_generation = $1
WHERE generation = $2 AND coalesce(next_generation, $1) = $1
RETURNING id
"""

BEGIN_GENERATION = """
UPDATE deployment SET generation = $1, next_generation = NULL, changes_marked = $2
WHERE next_generation = $1
RETURNING id
"""

BEGIN_SWEEP = "UPDATE deployment SET sweep_began_at = $1"

RECORD_SWEEP = "UPDATE deployment SET swept_at = $1"

RENEW_DEPLOYMENT = f"""
UPDATE deployment
SET id = gen_random_uuid(), claimed_at = NULL, generation = gen_random_uuid(), next_generation = NULL,
    changes_marked = NULL
FROM recorded_changes() AS recorded
RETURNING {_DEPLOYMENT}
"""  # noqa: S608  a constant

RECORD_CHECK = "UPDATE deployment SET secret_check = $1 WHERE secret_check IS NULL OR $2"
