"""The headers of a download. A name cannot add a header, and a browser cannot run the file."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.downloads import can_be_shown, disposition, is_inline, served_type
from domain.members import RuleViolation
from tests.domain.anything import UNICODE
from tests.domain.samples import NASTY_NAMES

# The header follows RFC 6266, with a quoted-string without quotes and backslashes, and RFC 8187, with attr-char and
# pct-encoded.
HEADER = re.compile(
    r"attachment; filename=\"(?P<plain>[ !#-.0-\[\]-~]*)\"; "
    r"filename\*=UTF-8''(?P<encoded>(?:[A-Za-z0-9!#$&+\-.^_`|~]|%[0-9A-F]{2})*)"
)

# https://mimesniff.spec.whatwg.org/#javascript-mime-type
JAVASCRIPT = [
    *("application/ecmascript", "application/javascript", "application/x-ecmascript", "application/x-javascript"),
    *("text/ecmascript", "text/javascript", "text/javascript1.0", "text/javascript1.1", "text/javascript1.2"),
    *("text/javascript1.3", "text/javascript1.4", "text/javascript1.5", "text/jscript", "text/livescript"),
    *("text/x-ecmascript", "text/x-javascript"),
]
MARKUP = [
    *("text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"),
    *("text/xml-external-parsed-entity", "application/xml-external-parsed-entity", "text/xsl"),
    *("application/xslt+xml", "application/atom+xml", "application/mathml+xml", "application/vnd.made-up+xml"),
    *("application/x-shockwave-flash", "multipart/x-mixed-replace", "text/cache-manifest", "text/vbscript"),
]
HARMLESS = [
    *("application/pdf", "application/octet-stream", "application/json", "application/ld+json", "application/zip"),
    *("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.xml+zip"),
    *("image/png", "image/svg", "text/plain", "text/plain; charset=utf-8", "text/csv", "text/html5"),
    *("text/markdown; variant=GFM", 'text/plain; note="text/html"', "text/plain; a=b+xml", "video/mp4", "x/html"),
]


def parts(name: str) -> tuple[str, str]:
    """Return the plain name and the decoded one in the header of that name."""
    match = HEADER.fullmatch(disposition(name))
    assert match is not None
    return match["plain"], unquote_to_bytes(match["encoded"]).decode("utf-8")


NAMES = UNICODE | st.sampled_from(NASTY_NAMES)


@settings(max_examples=300)
@given(NAMES)
def test_no_document_name_can_split_the_header_and_every_client_decodes_it(name: str) -> None:
    header = disposition(name)
    assert disposition(name, inline=True) == "inline" + header.removeprefix("attachment")
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    plain, exact = parts(name)
    # A client that supports RFC 8187 gets the exact name. The name for all other clients has no character that clients
    # read differently.
    assert exact == name
    assert not set(plain) & set('"\\%')


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        *(("Acme-NDA-2026.pdf", "Acme-NDA-2026.pdf"), ("it's; a=b.pdf", "it's; a=b.pdf")),
        *(("r\xe9sum\xe9.pdf", "resume.pdf"), ("re\u0301sume\u0301.pdf", "resume.pdf")),
        *(("\ufb01le \uff12.pdf", "file 2.pdf"), ("\u5951\u7d04.pdf", "__.pdf"), ('a"b\\c%d', "a_b_c_d")),
        *(("a\r\nb", "a__b"), ("\uff02\uff3c\uff05", "___"), ('\xc4 "50%".pdf', "A _50__.pdf")),
    ],
    ids=ascii,
)
def test_clients_without_rfc_8187_get_a_similar_name(name: str, plain: str) -> None:
    assert parts(name)[0] == plain


def spellings(essence: str) -> list[str]:
    """Return the type in spellings that clients may use and the rule `mime_type` accepts."""
    return [
        essence,
        essence.upper(),
        essence.title(),
        essence + ";charset=utf-8",
        essence + " ; charset=utf-8",
        essence + "\t;a=b",
        essence.upper() + '; a="b;c"',
    ]


@pytest.mark.parametrize("essence", MARKUP + JAVASCRIPT)
def test_an_active_media_type_is_served_as_octet_stream(essence: str) -> None:
    assert {served_type(spelled) for spelled in spellings(essence)} == {"application/octet-stream"}


@pytest.mark.parametrize("mime_type", HARMLESS)
def test_a_harmless_media_type_is_served_unchanged(mime_type: str) -> None:
    assert served_type(mime_type) == mime_type
    assert served_type(mime_type.upper()) == mime_type.upper()


SHOWN = [
    *("application/pdf", "text/plain", "text/plain; charset=utf-8", "image/png", "image/jpeg", "image/gif"),
    *("image/webp", "image/avif", "image/bmp", "image/tiff", "audio/mpeg", "audio/x-made-up", "video/mp4"),
    "video/webm; codecs=vp8,opus",
]
NOT_SHOWN = [
    *(*MARKUP, *JAVASCRIPT, "image/svg", "text/csv", "text/css", "text/html5", "text/plainer", "application/json"),
    *("application/octet-stream", "application/pdf-x", "image/x-made-up", "font/woff2", "model/obj", "audiox/mp4"),
    *("multipart/form-data; boundary=image/png", "message/rfc822", 'application/zip; a="text/plain"'),
]


@pytest.mark.parametrize(
    ("essence", "shown"), [*((essence, True) for essence in SHOWN), *((essence, False) for essence in NOT_SHOWN)]
)
def test_a_browser_may_show_pdf_plain_text_raster_images_audio_and_video_only(essence: str, shown: bool) -> None:
    assert {can_be_shown(spelled) for spelled in spellings(essence)} == {shown}


def test_a_disposition_is_exactly_inline_or_attachment() -> None:
    assert (is_inline("inline"), is_inline("attachment")) == (True, False)
    for wrong in ("", "Inline", "inline ", "form-data", "true", None, 1):
        with pytest.raises(RuleViolation, match="must be attachment or inline"):
            is_inline(wrong)
