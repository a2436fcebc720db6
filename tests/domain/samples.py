"""Values that several files use: two workspaces, a caller, whole requests, and hostile names and ids."""

from domain.access import Caller, Permission
from domain.ids import ApiKeyId, UserId, WorkspaceId
from domain.members import Members
from domain.rate_limits import Tier

OWN = WorkspaceId("ws_01HY0000000000000000000000")
FOREIGN = WorkspaceId("ws_01HY0000000000000000000001")

CALLER = Caller(
    workspace_id=OWN,
    user_id=UserId("usr_1"),
    key_id=ApiKeyId("key_1"),
    permissions=frozenset(Permission),
    tier=Tier.UNMETERED,
    expires_at=None,
    request_id="req_1",
)
KEY = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
"""An idempotency key."""

DOCUMENT: Members = {
    "name": "a.pdf",
    "mime_type": "application/pdf",
    "storage_path": f"workspaces/{OWN}/documents/new-upload.pdf",
    "size_bytes": 183204,
    "description": "d",
    "folder": "/clients/acme",
    "tags": ["nda"],
}
UPLOAD: Members = {"name": "a.pdf", "mime_type": "application/pdf", "size_bytes": 10, "sha256": "AB" * 32}
LINK: Members = {"entity_type": "contact", "entity_id": "c-1", "role": "signatory"}

MALFORMED_IDS = {
    "no prefix": "01HY0000000000000000000000",
    "no ulid": "doc_",
    "the page's example": "doc_01HY1",
    "25 characters": "doc_01HY000000000000000000000",
    "27 characters": "doc_01HY00000000000000000000000",
    "lower case": "doc_01hy0000000000000000000000",
    "an upper-case prefix": "DOC_01HY0000000000000000000000",
    "I": "doc_01HY000000000000000000000I",
    "L": "doc_01HY000000000000000000000L",
    "O": "doc_01HY000000000000000000000O",
    "U": "doc_01HY000000000000000000000U",
    "more than 128 bits": "doc_80000000000000000000000000",
    "a dash": "doc_01HY0000-00000000000000000",
    "a newline": "doc_01HY0000000000000000000000\n",
    "a blank": " doc_01HY0000000000000000000000",
    "NUL": "doc_01HY0000000000000000000000\0",
    "digits of another script": "doc_" + "\u0661" * 26,
    "two prefixes": "doc_doc_01HY0000000000000000000000",
    "nothing": "",
    "endless": "doc_" + "0" * 100_000,
}

# Names that are dangerous in headers, object keys or shells.
NASTY_NAMES = [
    *("a.pdf", "Acme-NDA-2026.pdf", "two words.pdf", " leading and trailing ", 'quo"ted.pdf', '"'),
    *('""; filename="evil.exe', "it's.pdf", "back\\slash.pdf", '\\"', "semi;colon.pdf", "comma,equals=.pdf"),
    *("a/b/c.pdf", "../../etc/passwd", "..\\..\\windows\\system.ini", "/", ".", "..", "...", ".htaccess", ".pdf"),
    *("-rf", "--help", "~root", "a\r\nX-Evil: 1", "a\rb", "a\nb", "a\0b.pdf", "a\tb.pdf", "a\x1b[31m.pdf"),
    *("a\x7f.pdf", "a\x85b.pdf", "100%.pdf", "%0d%0aX-Evil: 1", "%22.pdf", "a%00.pdf", "UTF-8''evil.exe"),
    *("filename*=UTF-8''evil.exe", "r\xe9sum\xe9.pdf", "re\u0301sume\u0301.pdf", "na\xefve \u20ac rates.pdf"),
    *("\u5951\u7d04\u66f8.pdf", "\u0434\u043e\u0433\u043e\u0432\u043e\u0440.docx", "\u05d7\u05d5\u05d6\u05d4.pdf"),
    *("\u0639\u0642\u062f.pdf", "\u0e2a\u0e31\u0e0d\u0e0d\u0e32.pdf", "\N{GRINNING FACE}.png"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467.png", "invoice\u202efdp.exe", "\u200b", "\u0301"),
    *("\ufeffbom.txt", "a\xadb.txt", "\uff02full-width quote\uff02.pdf", "\uff3cfull-width backslash.pdf"),
    *("\uff05full-width percent.pdf", "\uff0e\uff0e\uff0ffull-width dots", "a\u2028b\u2029c.pdf", "\ufdfa.pdf"),
    *("\xbd.pdf", "\u2100.pdf", "?.pdf", "*", "<script>alert(1)</script>.html", "$(id)`id`|id&.sh", "CON"),
    *("nul.txt", "a" * 255, "a" * 251 + ".pdf", "a." + "b" * 253, "." * 255, "\N{GRINNING FACE}" * 255),
]
