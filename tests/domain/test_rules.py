"""Every rule of a member, parameter or header, at its boundaries. Text in general is in test_text.py."""

import string as ascii_text
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Permission, label, permissions
from domain.documents import description, is_same_media_type, mime_type, name, sha256, size_bytes, tags
from domain.entity_links import entity_id, entity_type, role
from domain.members import Rule, RuleViolation
from domain.pages import boolean, timestamp, timestamp_or_date, whole_number
from domain.paths import folder_path, storage_path
from domain.text import string
from tests.domain.anything import JSON, SPITEFUL, ask
from tests.domain.samples import OWN

NOON = datetime(2026, 4, 17, 12, 0, tzinfo=UTC)
GRIN = "\N{GRINNING FACE}"

RULES: dict[str, Rule[object]] = {
    "string": string,
    "name": name,
    "label": label,
    "role": role,
    "description": description,
    "tags": tags,
    "size_bytes": size_bytes,
    "sha256": sha256,
    "mime_type": mime_type,
    "folder": folder_path,
    "storage_path": lambda value: storage_path(value, OWN),
    "entity_type": entity_type,
    "entity_id": entity_id,
    "permissions": permissions,
    "whole_number": whole_number(1, 100),
    "boolean": boolean,
    "timestamp": timestamp,
    "timestamp_or_date": timestamp_or_date,
}


def numbered(count: int) -> list[str]:
    return [f"tag {number}" for number in range(count)]


UNCHANGED: dict[str, list[object]] = {
    "name": ["a/b\\c:d.pdf", "..", " a ", "\ufb01", ".", "\xa0" + GRIN, "\u200ba"],
    "description": ["", "  ", "a\n\tb\n"],
    "size_bytes": [0, 1, 183204, 2**31, 2**53 + 1, 2**63 - 1],
    "mime_type": [
        *("application/pdf", "image/svg+xml", "application/vnd.made-up-by-us", "x/y", "0/1"),
        *("a!#$&-^_.+/b!#$&-^_.+", "text/plain; charset=utf-8; format=flowed"),
        *(r'text/plain; note="a \"quoted\" ; \\ word"', 'text/plain; empty=""', "a" * 127 + "/" + "b" * 127),
        *("multipart/form-data; boundary=it's%20`fine`|~", "video/webm; codecs=vp8,opus", "text/plain; a=B; c=D,E"),
    ],
    "entity_type": ["contact", "deal", "matter"],
    "entity_id": [
        *("x" * 64, GRIN * 64, "...", "a b", " c-1", "\\", "?#%", "%61", "'\"", "a\u200db", "C-1", "01", "ss", "\xdf"),
        *("\xe9", "e\u0301", "M-2026/17", "12 O 345/26", "a/b/../c", "/", "//"),
    ],
}

NORMALISED: dict[str, list[tuple[object, object]]] = {
    "name": [("\u212b", "\xc5")],
    "tags": [
        *(([], ()), (["nda", "confidentiality"], ("nda", "confidentiality")), (["b", "a", "b", "a"], ("b", "a"))),
        *(([" a ", "a\n", "\u3000a"], ("a",)), (["e\u0301", "\xe9"], ("\xe9",)), (["a", "A"], ("a", "A"))),
        *((numbered(50), tuple(numbered(50))), (numbered(50) * 3, tuple(numbered(50)))),
    ],
    "size_bytes": [(6.0, 6), (1e3, 1000), (-0.0, 0), (2.0**62, 2**62)],
    "mime_type": [
        *(("APPLICATION/PDF", "application/pdf"), ("Text/Plain; Charset=UTF-8", "text/plain; charset=UTF-8")),
        *(("IMAGE/SVG+XML;A=B ;\tC=D", "image/svg+xml; a=B; c=D"), ("V/W; Codecs=VP8,Opus", "v/w; codecs=VP8,Opus")),
        (r'A/B; Note="C=D;E=\"F=G";H="I"', r'a/b; note="C=D;E=\"F=G"; h="I"'),
        (f"a/b;c={'d' * 249}", f"a/b;c={'d' * 249}"),
    ],
    "sha256": [("AB" * 32, "ab" * 32), ("0123456789abcdefABCDEF" + "0" * 42, "0123456789abcdefabcdef" + "0" * 42)],
    "permissions": [([permission.value for permission in Permission][::-1], frozenset(Permission))],
    "boolean": [
        *(("true", True), ("TRUE", True), ("True", True), ("tRuE", True), ("1", True)),
        *(("false", False), ("FALSE", False), ("False", False), ("0", False)),
    ],
    "timestamp_or_date": [
        *(
            (f"{day}T12:00:00Z", datetime.fromisoformat(f"{day}T12:00:00+00:00"))
            for day in ("0001-01-01", "2028-02-29")
        ),
        *((day, datetime.fromisoformat(f"{day}T00:00:00+00:00")) for day in ("0001-01-01", "9999-12-31")),
        # In a query, an offset arrives with a space if the client does not encode the plus.
        *((sent, NOON) for sent in ("2026-04-17T14:00:00 02:00", "2026-04-17t14:00:00.000 02:00")),
    ],
    "timestamp": [
        *((sent, NOON) for sent in ("2026-04-17T12:00:00Z", "2026-04-17t12:00:00z", "2026-04-17T12:00:00.000+00:00")),
        *((sent, NOON) for sent in ("2026-04-17T14:00:00+02:00", "2026-04-16T22:30:00-13:30")),
    ],
}

NOT_STRINGS: list[object] = [None, True, 0, 1.5, [], ["a"], {}, {"a": "a"}]
REFUSED: dict[str, tuple[str, list[object]]] = {
    "name": ("must be a string", NOT_STRINGS),
    "label": ("must be a string", NOT_STRINGS),
    "role": ("must be a string", NOT_STRINGS),
    "description": ("must be a string", NOT_STRINGS),
    "folder": ("must be a string", NOT_STRINGS),
    "storage_path": ("must be a string", NOT_STRINGS),
    "tags": (
        "must",
        [
            *(None, "nda", {"a": "b"}, ["a", None], ["a", 1], [["a"]], [{}], [""], ["a", " \t"], ["x" * 65]),
            *(["a\0b"], ["a\nb"], ["\ud800"], numbered(51)),
        ],
    ),
    "size_bytes": ("must be an integer", [None, True, False, 1.5, 1e-300, "1", "6.0", [1], {}]),
    "size_bytes in range": ("must be 0 to 9223372036854775807", [-1, -1.0, 2**63, 2.0**63, 1e300, 10**4000]),
    "sha256": (
        "64 hexadecimal digits",
        [
            *("", "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n", " " + "a" * 63, "0x" + "a" * 62, "\uff11" * 64),
            "\u0663" * 64,
        ],
    ),
    "mime_type": (
        "must",
        [
            *(*NOT_STRINGS, "", "/", "application", "application/", "/pdf", "application/pdf/a", "application//pdf"),
            *(" application/pdf", "application/pdf ", "application /pdf", "application/pdf\n", "*/*", "image/*"),
            *("-a/b", "a/.b", "a/b%", "a/b'", "a@b/c", "application/p\xe4f", "applic\u0430tion/pdf", "\uff41/\uff42"),
            *("application/pdf\0", "text/plain;", "text/plain; ;", "text/plain; charset", "text/plain; charset="),
            *("text/plain; =utf-8", "text/plain; charset =utf-8", "text/plain; charset= utf-8"),
            *("text/plain; charset=utf 8", "text/plain, text/html", 'text/plain; a="', 'text/plain; a="b'),
            *('text/plain; a="b"c', 'text/plain; a="\\"', 'text/plain; a="\r\nX-Evil: 1"', 'text/plain; a="\\\n"'),
            *('text/plain; a="\\\r"', 'text/plain; a="\\\0"', 'text/plain; a="\\\xe9"', 'text/plain; a="\x7f"'),
            *('text/plain; a="\xe9"', "text/plain;\r\n charset=utf-8", "text/plain\x0b;a=b", "a" * 128 + "/b"),
            *("a/" + "b" * 128, "a/b" + "; a=b" * 10_000, 'a/b; a="' + "\\" * 200),
        ],
    ),
    "entity_type": ("must", [None, "", "Contact", "invoice", 5, ["contact"], {}]),
    "entity_id": (
        "must",
        [
            *(None, "", "x" * 65, ".", "..", " ", "\u200b", "a\u200bb", "a\u202eb", "a\nb", "\0", "\x7f", "\x85"),
            *("\ud800", "\ufffd", 5, ["1"]),
        ],
    ),
    "permissions": (
        "must",
        [
            *(None, [], {}, "read:documents", {"read:documents": True}, [None], [1], [["read:documents"]], [""]),
            *(["READ:DOCUMENTS"], ["read:documents "], ["read:*"], ["*"], ["admin"], ["READ_DOCUMENTS"]),
            ["read:documents", "read:everything"],
        ],
    ),
    "boolean": (
        "must be",
        [None, True, 1, "", "yes", "no", "on", "t", "2", "01", " true", "\uff11"],
    ),
    "timestamp": (
        "must be a time such as",
        ["2026-04-17", "0001-01-01", "2026-04-17 12:00:00Z", "2026-04-17T14:00:00 02:00"],
    ),
    "timestamp_or_date": (
        r"must be a time .*, or a date such as 2026-04-17$",
        [
            *("", "now", "2026", "2026-04", "2026-4-17", "20260417", "2026-W16-5", "2026-107", "17.04.2026"),
            *("2026-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "2026-04-31", "2026-04-17Z", " 2026-04-17"),
            *("2026-04-17\n", "2026-04-17T", "2026-04-17T12:00", "2026-04-17T12:00:00", "2026-04-17 12:00:00Z"),
            *("2026-04-17T12:00:00  02:00", "2026-04-17T12:00:00 +02:00", "2026-04-17T12:00 02:00", "2026-04-17 02:00"),
            *("2026-04-17T24:00:01Z", "2026-04-17T12:60:00Z", "0001-01-01T00:00:00+01:00", "1776422700"),
            *("9999-12-31T23:59:59-01:00", "\uff12026-04-17", "\u0662\u0660\u0662\u0666-\u0660\u0664-\u0661\u0667"),
        ],
    ),
}


@pytest.mark.parametrize(
    ("rule", "sent", "kept"),
    [
        *((rule, value, value) for rule, values in UNCHANGED.items() for value in values),
        *((rule, sent, kept) for rule, pairs in NORMALISED.items() for sent, kept in pairs),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_rule_keeps_a_valid_value_in_its_normal_form(rule: str, sent: object, kept: object) -> None:
    assert RULES[rule](sent) == kept


@pytest.mark.parametrize(
    ("rule", "why", "sent"),
    [(rule.split()[0], why, value) for rule, (why, values) in REFUSED.items() for value in values],
    ids=lambda value: ascii(value)[:40],
)
def test_a_rule_refuses_an_invalid_value(rule: str, why: str, sent: object) -> None:
    with pytest.raises(RuleViolation, match=why):
        RULES[rule](sent)


LIKE_A_TIME = st.text("0123456789-+:.TtZz ", max_size=30)
NO_FIXED_POINT = {"boolean", "timestamp", "timestamp_or_date", "whole_number"}


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=60)
@given(value=JSON | LIKE_A_TIME)
def test_a_rule_accepts_or_refuses_any_json_value_and_accepts_its_own_result(rule: str, value: object) -> None:
    once = ask(RULES[rule], value)
    if not isinstance(once, RuleViolation) and rule not in NO_FIXED_POINT:
        # The root folder, None, is spelled '/'. A set of permissions is sent as a list.
        again = "/" if once is None else [*once] if isinstance(once, frozenset) else once
        assert RULES[rule](again) == once


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS))  # noqa: DTZ001
def test_every_time_in_any_offset_is_read_in_utc(at: datetime) -> None:
    for rule in (timestamp, timestamp_or_date):
        assert rule(at.isoformat()) == at
        assert rule(at.isoformat()).tzinfo is UTC


ALPHANUMERIC = ascii_text.ascii_letters + ascii_text.digits
RESTRICTED = st.builds("{}{}".format, st.sampled_from(ALPHANUMERIC), st.text(ALPHANUMERIC + "!#$&-^_.+", max_size=20))
TOKEN = st.text(ALPHANUMERIC + "!#$%&'*+-.^_`|~", min_size=1, max_size=10)
QUOTED = st.text("\t !#[]~azAZ09;,/=()", max_size=10).map('"{}"'.format) | st.just(r'"\"\\"')
SEPARATOR = st.sampled_from([";", "; ", " ;", "\t; "])
PARAMETER = st.tuples(SEPARATOR, st.builds("{}={}".format, TOKEN, TOKEN | QUOTED))


@given(RESTRICTED, RESTRICTED, st.lists(PARAMETER, max_size=3))
def test_every_media_type_of_the_rfcs_is_accepted(kind: str, subtype: str, parameters: list[tuple[str, str]]) -> None:
    sent = f"{kind}/{subtype}" + "".join(map("".join, parameters))
    recorded = "; ".join([f"{kind}/{subtype}", *(parameter for _, parameter in parameters)])
    assert mime_type(sent).lower() == recorded.lower()
    assert is_same_media_type(mime_type(sent), sent)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        *(("text/plain", "TEXT/Plain", True), ("text/plain;a=b", "text/plain ; A=b", True), (" a/b ", "a/b", True)),
        *(("text/plain; a=b", "text/plain; a=B", False), ("text/plain", "text/plain; a=b", False)),
        *(('a/b; c="D"', 'A/B;C="D"', True), ("nonsense", "nonsense", True), ("nonsense", "Nonsense", False)),
        ("video/webm; codecs=vp8,opus", "video/webm;codecs=vp8,opus", True),
    ],
)
def test_media_types_ignore_letter_case_except_in_values_of_parameters(one: str, other: str, same: bool) -> None:
    assert is_same_media_type(one, other) is same


@given(
    st.sampled_from(["a/b", "a/b; c=d", 'a/b; c="d"', r'a/b; c="\d"']), st.sampled_from(SPITEFUL), st.integers(0, 12)
)
def test_an_accepted_media_type_cannot_split_a_header(valid: str, char: str, at: int) -> None:
    text = ask(mime_type, valid[:at] + char + valid[at:])
    if not isinstance(text, RuleViolation):
        assert text.isascii()
        assert text.replace("\t", "").isprintable()
