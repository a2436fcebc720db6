"""The table that Piccolo's query builder reads. The migrations create the schema."""

from piccolo.columns import UUID, Array, Bytea, Text, Timestamptz
from piccolo.table import Table


class ApiKeyRow(Table, tablename="api_keys"):
    """An API key: its SHA-256, never the key itself. The primary key in the database is (workspace_id, id)."""

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
