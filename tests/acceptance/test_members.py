"""The members of a new document and its storage path, end to end. The rules and their edges are in tests/domain."""

from .client import Client, with_member, wrong_fields
from .documents import DOCUMENTS


def test_a_missing_member_or_a_size_that_no_integer_equals_is_named_and_leaves_the_path_free(
    home: Client, stored: str
) -> None:
    for member in ("name", "mime_type", "storage_path"):
        body = {name: value for name, value in home.document(stored).items() if name != member}
        assert wrong_fields(home.post(DOCUMENTS, body)) == {member}
    for text in ("true", "5.5", "-0.5", "1e-400", "9223372036854775808", "4"):
        answer = home.post(DOCUMENTS, with_member(home.document(stored), "size_bytes", text))
        assert wrong_fields(answer) == {"size_bytes"}, text
    home.recorded(stored)


# {mine} is a stored object of this workspace {own}, {theirs} one of another workspace {other}. A service that
# normalised such a path would find one of them.
HOSTILE = [
    *("", "..", "../../../../etc/passwd", "s3://bucket/key", "workspaces/{own}/", "workspaces//{own}/x", "{mine}/x"),
    *("{theirs}", "/{theirs}", "./{theirs}", "workspaces/{own}/../{other}/x", "workspaces/{own}/..%2f{other}/x"),
    *("workspaces/{own}/%252e%252e/x", "workspaces/{own}/..\\{other}\\x", "workspaces/{own}x/x", "WORKSPACES/{own}/x"),
    *("/{mine}", "./{mine}", "{mine}/.", "\ufeff{mine}", " {mine}", "{mine}\n", "{mine}?x=1", "{mine}%00"),
    *("workspaces\u2215{own}\u2215x", "w\u043erkspaces/{own}/x", "workspaces/{own}/\uff0e\uff0e/x"),
]


def test_a_path_outside_the_workspace_or_the_grammar_is_refused_and_never_normalised(
    home: Client, neighbour: Client
) -> None:
    mine, theirs = home.upload(), neighbour.upload()
    for template in [*HOSTILE, mine.replace(home.workspace, home.workspace.lower())]:
        path = template.replace("{mine}", mine).replace("{theirs}", theirs)
        path = path.replace("{own}", home.workspace).replace("{other}", neighbour.workspace)
        answer = home.record(path)
        assert wrong_fields(answer) == {"storage_path"}, path
        assert neighbour.workspace not in answer.text
    home.recorded(mine)
    neighbour.recorded(theirs)


def test_the_path_of_an_upload_can_be_recorded_whatever_the_name(home: Client) -> None:
    for name in ("a/b", "..", " a ", "\U0001f4c4" * 255, "x" * 255, "a\\b", "%2e%2e%2f", "-rf", "\u200bgpj"):
        path = home.upload(b"x", name)
        assert home.recorded(path, name=name)["storage_path"] == path
