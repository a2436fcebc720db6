"""The rule of `mime_type`: the syntax of RFC 6838 with the parameters of RFC 9110, and nothing beyond it."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import mime_type
from domain.members import RuleViolation
from tests.domain.anything import SPITEFUL, ask

ALPHANUMERIC = string.ascii_letters + string.digits
RESTRICTED = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(ALPHANUMERIC),
    st.text(ALPHANUMERIC + "!#$&-^_.+", max_size=20),
)
TOKEN = st.text(ALPHANUMERIC + "!#$%&'*+-.^_`|~", min_size=1, max_size=10)
QUOTED = st.text("\t !#[]~azAZ09;,/=()", max_size=10).map(lambda text: f'"{text}"') | st.just(r'"\"\\"')
PARAMETER = st.builds(
    "{}{}{}={}".format, st.sampled_from([";", "; ", " ;", "\t; "]), TOKEN, st.just(""), TOKEN | QUOTED
)


@pytest.mark.parametrize(
    "sent",
    [
        *("application/pdf", "image/png", "image/svg+xml", "APPLICATION/PDF"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        *("application/vnd.made-up-by-us", "x/y", "0/1", "a!#$&-^_.+/b!#$&-^_.+", "text/plain;charset=utf-8"),
        *("text/plain; charset=utf-8; format=flowed", "text/plain ;\tcharset=utf-8", 'text/plain; charset="utf-8"'),
        *(r'text/plain; note="a \"quoted\" ; \\ word"', 'text/plain; empty=""'),
        "multipart/form-data; boundary=it's%20`fine`|~",
        pytest.param("a" * 127 + "/" + "b" * 127, id="127 characters on both sides"),
    ],
)
def test_a_media_type_in_the_syntax_of_rfc_6838_is_unchanged(sent: str) -> None:
    assert mime_type(sent) == sent


@pytest.mark.parametrize(
    "sent",
    [
        *("", "/", "application", "application/", "/pdf", "application/pdf/a", "application//pdf"),
        *(" application/pdf", "application/pdf ", "application /pdf", "application/pdf\n", "*/*", "image/*"),
        *("-a/b", "a/.b", "a/b%", "a/b'", "a@b/c", "application/p\xe4f", "applic\u0430tion/pdf", "\uff41/\uff42"),
        *("application/pdf\0", "text/plain;", "text/plain; ;", "text/plain; charset", "text/plain; charset="),
        *("text/plain; =utf-8", "text/plain; charset =utf-8", "text/plain; charset= utf-8"),
        *("text/plain; charset=utf 8", "text/plain, text/html", 'text/plain; a="', 'text/plain; a="b'),
        *('text/plain; a="b"c', 'text/plain; a="\\"', 'text/plain; a="\r\nX-Evil: 1"', 'text/plain; a="\\\n"'),
        *('text/plain; a="\\\r"', 'text/plain; a="\\\0"', 'text/plain; a="\\\xe9"', 'text/plain; a="\x7f"'),
        *('text/plain; a="\xe9"', "text/plain;\r\n charset=utf-8", "text/plain\x0b;a=b"),
        pytest.param("a" * 128 + "/b", id="a type of 128 characters"),
        pytest.param("a/" + "b" * 128, id="a subtype of 128 characters"),
        pytest.param("a/b" + "; a=b" * 10_000, id="parameters without end"),
        pytest.param('a/b; a="' + "\\" * 200, id="backslashes without end"),
    ],
    ids=ascii,
)
def test_any_other_text_is_not_a_media_type(sent: str) -> None:
    with pytest.raises(RuleViolation):
        mime_type(sent)


@given(RESTRICTED, RESTRICTED, st.lists(PARAMETER, max_size=3))
def test_every_media_type_of_the_grammar_is_accepted(kind: str, subtype: str, parameters: list[str]) -> None:
    sent = f"{kind}/{subtype}" + "".join(parameters)
    assert mime_type(sent) == sent


@given(
    st.sampled_from(["a/b", "a/b; c=d", 'a/b; c="d"', r'a/b; c="\d"']), st.sampled_from(SPITEFUL), st.integers(0, 12)
)
def test_an_accepted_media_type_cannot_split_a_header(valid: str, char: str, at: int) -> None:
    text = ask(mime_type, valid[:at] + char + valid[at:])
    if not isinstance(text, RuleViolation):
        assert text.isascii()
        assert text.replace("\t", "").isprintable()
