"""The statements that a migration may contain, and the remedies for others."""

import asyncpg
import pytest

from adapters.postgres.upgrade.forms import Unsafe, Way, statements
from adapters.postgres.upgrade.runner import Runner


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("CREATE INDEX i ON documents (id)", "CREATE INDEX CONCURRENTLY"),
        ("CREATE UNIQUE INDEX i ON documents (id)", "CREATE INDEX CONCURRENTLY"),
        ("ALTER TABLE documents ADD COLUMN a text NOT NULL", "add a DEFAULT"),
        ("ALTER TABLE documents ADD a text CHECK (a <> '')", "NOT VALID"),
        ("ALTER TABLE documents ADD COLUMN a uuid REFERENCES folders", "NOT VALID"),
        ("ALTER TABLE documents ADD COLUMN a uuid DEFAULT gen_random_uuid()", "in_workspaces"),
        ("ALTER TABLE documents ADD COLUMN a text GENERATED ALWAYS AS (name) STORED", "in_workspaces"),
        ("ALTER TABLE documents ADD COLUMN a bigserial", "in_workspaces"),
        ("ALTER TABLE documents ADD COLUMN a text, ADD CONSTRAINT c CHECK (a <> '')", "NOT VALID"),
        ("ALTER TABLE documents ADD FOREIGN KEY (id) REFERENCES folders", "NOT VALID"),
        ("ALTER TABLE documents ADD UNIQUE (id)", "NOT VALID"),
        ("ALTER TABLE documents ALTER COLUMN name TYPE varchar", "add a column of the new type"),
        ("ALTER TABLE documents RENAME COLUMN name TO title", "step `Together`"),
        ("ALTER TABLE documents VALIDATE CONSTRAINT c, ADD COLUMN a text", "statement of its own"),
        ("UPDATE documents SET name = ''", "in_workspaces"),
        ("DELETE FROM events", "in_workspaces"),
        ("LOCK TABLE documents", "not known to be safe"),
        ("VACUUM FULL documents", "not known to be safe"),
        ("DO $$ BEGIN DROP TABLE documents; END $$", "not known to be safe"),
    ],
)
def test_a_statement_that_could_stop_requests_is_refused_with_the_remedy(sql: str, remedy: str) -> None:
    with pytest.raises(Unsafe, match=remedy):
        statements(f"-- A reason; with a semicolon.\n{sql};\n")


def test_each_safe_statement_runs_in_its_own_way() -> None:
    found = statements("""
        CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $f$ SELECT ';'; $f$;
        CREATE TABLE made (id uuid REFERENCES workspaces (id), next uuid REFERENCES made (id)); -- a ; in a comment
        CREATE INDEX made_id ON made (id);
        INSERT INTO made SELECT;
        CREATE UNIQUE INDEX CONCURRENTLY i ON documents (workspace_id, (name || ';'));
        DROP INDEX CONCURRENTLY j;
        ALTER TABLE documents ADD COLUMN a numeric(1, 2) NOT NULL DEFAULT 0, ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
        ALTER TABLE documents VALIDATE CONSTRAINT c;
        ALTER TABLE documents ALTER COLUMN a SET NOT NULL;
    """)
    assert [(one.way, one.tables, one.index, one.not_null) for one in found] == [
        (Way.NEW, (), None, None),
        (Way.BRIEF, ("workspaces",), None, None),
        (Way.NEW, (), None, None),
        (Way.BRIEF, (), None, None),
        (Way.INDEX, ("documents",), "i", None),
        (Way.DROP_INDEX, (), "j", None),
        (Way.BRIEF, ("documents",), None, None),
        (Way.LONG, (), None, None),
        (Way.BRIEF, ("documents",), None, "a"),
    ]


async def test_a_column_becomes_not_null_only_after_a_validated_check(database_url: str) -> None:
    (statement,) = statements("ALTER TABLE scratch ALTER COLUMN a SET NOT NULL")
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TEMPORARY TABLE scratch (a integer)")
    with pytest.raises(Unsafe, match="VALIDATE CONSTRAINT"):
        await Runner(connection, "scratch").run_units([[statement]])
    await connection.close()
