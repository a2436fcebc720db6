"""The table that Piccolo's builder reads and writes. The schema itself, all of it, is made by `migrations`."""

from piccolo.columns import UUID, Array, Bytea, Text, Timestamptz
from piccolo.table import Table


class ApiKeyRow(Table, tablename="api_keys"):
    """An API key: its SHA-256, never the key. The true primary key is (workspace_id, id)."""

    id = UUID(primary_key=True)
    workspace_id = UUID()
    user_id = UUID()
    name = Text()
    prefix = Text()
    digest = Bytea()
    permissions = Array(base_column=Text())
    tier = Text()
    created_at = Timestamptz()
    expires_at = Timestamptz(null=True)
    revoked_at = Timestamptz(null=True)
    description = Text(null=True)
    search_text = Text()
    last_used_at = Timestamptz(null=True)


TABLES = (ApiKeyRow,)
