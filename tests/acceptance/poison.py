"""Values that have broken services before, as JSON texts, header bytes and path segments."""

import json
from urllib.parse import quote

from .client import Client
from .raw import ask

JSON_VALUES = [
    # values of the simple JSON types, and the largest and smallest numbers
    *("null", "true", "false", "0", "-0", "-1", "1", "1.5", "-1.5", "1e5", "1E+5", "0.1e-400", "1e400"),
    *("-1e400", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("1" + "0" * 400, "9" * 4400, "-" + "9" * 20000, "18446744073709551616", "2147483648"),
    # empty, blank and invisible texts
    *('""', '" "', r'"\t"', r'"\n"', r'"\u0000"', r'"a\u0000b"', r'"\u0001"', r'"\u007f"', r'"\u0085"'),
    *(r'"\ufeff"', r'"\u200b"', r'"\u202e"', r'"\u2028"', r'"\u2066x"', r'"\ufffe"', r'"\uffff"'),
    *(r'"\ufdd0"', r'"\ue000"'),
    # surrogates, and texts that normalisation makes longer or shorter
    *(r'"\ud800"', r'"\udfff"', r'"\udc00\ud800"', r'"\ud83d\ude00"', r'"\udb40\udc01"', r'"\u0958"'),
    *(r'"\u1e9e"', '"e' + r"\u0301" * 2000 + '"', '"' + r"\u0958" * 255 + '"', '"' + r"\ufdfa" * 300 + '"'),
    *('"' + r"\u1100\u1161" * 200 + '"', '"' + "a" * 5000 + '"', '"' + "a" * 60000 + '"'),
    *('"' + "/a" * 5000 + '"', '"' + "\U0001f4c4" * 5000 + '"'),
    # texts that SQL, HTML, shells or log formats would interpret
    *('"\'; DROP TABLE documents; --"', '"\' OR 1=1 --"', '"$1"', '"$$"', '"{}"', '"%s%n%d"', '"%00"'),
    *('"%"', '"_"', '"${jndi:ldap://127.0.0.1/x}"', '"{{7*7}}"', '"<script>alert(1)</script>"', '"$(id)"'),
    *('"`id`"', '"|id"', '"=1+1"', r'"\r\nX-Evil: 1"', r'"\\"', r'"\""', r'"\\x00"', '"/"', '"//"'),
    *('"/../.."', '"../../etc/passwd"', '"/dev/null"', '"con"', '"nul"', '"file:///etc/passwd"'),
    *('"%2e%2e%2f"', '"..%c0%af"', '"workspaces/"', '"workspaces/../x"', '"NaN"', '"Infinity"', '"null"'),
    *('"true"', '"undefined"', '"0"', '"0x10"', '"1e5"', '"\uff11"', '"\u0663"'),
    # arrays and objects
    *("[]", "[[]]", "[null]", '[1,"a",{}]', '["a","a"]', r'["\u0000"]', r'["\ud800"]', '[""]'),
    *('["' + "a" * 5000 + '"]', "{}", '{"a":1}', '{"":""}', '{"__class__":"x"}', '{"$ne":null}'),
    *('{"a":1,"a":2}', "[" * 40 + "]" * 40, "[" + ",".join(['"a"'] * 51) + "]"),
    *("[" + ",".join(["0"] * 9000) + "]", '{"a":' * 40 + "1" + "}" * 40),
    # texts that are not JSON
    *("NaN", "-Infinity", "tru", "'x'", "01", "1.", ".5", "+1", '"a\tb"', '"a\nb"', '"\\x"', '"', "//"),
    *("undefined", ""),
]

HEADER_VALUES = [
    *(b"", b"\t", b'"', b'""', b"'", b",", b";", b"=", b"*", b"*/*", b"/", b"\\", b"%", b"%00"),
    *(b"%0d%0aX-Evil: 1", b"?", b"#", b"\x00", b"a\x00b", b"\x01", b"\x1b[31m", b"\x7f", b"\x80"),
    *(b"\xff\xfe", b"\xc3\xa9", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x93\x84", b"\xe2\x80\xae", b"a\rb"),
    *(b"a\nb", b"a\r\nX-Evil: 1", b"a\r\n folded", b"a\x0bb", b"0", b"-1", b"1", b"1.5", b"1e400"),
    *(b"9" * 30, b"9223372036854775808", b"NaN", b"null", b"true", b"undefined", b"Bearer", b"Bearer "),
    *(b"Basic Og==", b"Bearer " + b"x" * 4000, b"application/json", b"application/json; charset=utf-16"),
    *(b"application/json; charset=", b"application/json; charset=nonsense", b'application/json; charset="'),
    *(b"application/json;;;", b"multipart/form-data", b"text/plain", b"bytes=0-0", b"bytes=--", b"W/"),
    *(b'W/"1"', b"identity", b"gzip;q=x", b"100-continue", b"'; DROP TABLE documents; --"),
    *(b"${jndi:ldap://127.0.0.1/x}", b"{{7*7}}", b"<script>", b"%s%n", b"$(id)", b"../../etc/passwd"),
    *(b"x" * 200, b"x" * 8000, b"," * 4000, b";" * 4000, b"a=b;" * 1000, b"\xff" * 4000, b"2026-02-30"),
    *(b"Thu, 31 Feb 2026 99:99:99 GMT", b"127.0.0.1, ::1, nonsense", b"[::1", b"for=;by=", b"http://["),
    *(b"h:99999",),
]

SEGMENTS = [
    *(b"%00", b"%ff", b"%c0%af", b"%ed%a0%80", b"%", b"%z", b"%1", b"%25%30%30", b"..", b".", b"%2e%2e"),
    *(b"..%2f..%2fetc", b"%5c", b"..;", b"x;y=z", b"*", b"'", b"%22", b"%0d%0aX-Evil:%201", b"%0a", b"%20"),
    *(b"%f0%9f%93%84", b"\xc3\xa9", b"\xff", b"~", b"$1", b"0", b"-1", b"null", b"doc_", b"doc_%00"),
    *(b"doc_" + b"0" * 26, b"doc_" + b"Z" * 26, b"doc_7" + b"Z" * 25, b"doc_8" + b"0" * 25),
    *(b"doc_" + b"0" * 5000, b"x" * 20000, b"%41" * 3000, b"upload-url", b"upload-url/", b"upload%2durl"),
    *(b"{id}", b"${x}", b"<b>", b"?", b"?download", b"?download=", b"?download=%ff", b"?download=%00"),
    *(b"?download=true&download=false", b"?%ff=%ff", b"?=", b"?&&", b"?download[]=1"),
    *(b"?download=" + b"1" * 9000, b"?" + b"a=b&" * 2000, b"?download=1;2", b"?a;b", b"#x", b"??", b"?%"),
    *(b"?download=%zz",),
]


def _as_text(value: str) -> bytes:
    try:
        text = json.loads(value)
    except (ValueError, RecursionError):
        text = value
    return (text if isinstance(text, str) else value).encode("utf-8", "surrogatepass")


TEXTS = [quote(text) for text in [_as_text(value)[:8000] for value in JSON_VALUES] + HEADER_VALUES]
"""The JSON values and the header values, percent-encoded. JSON strings are decoded first, surrogates included."""


def unharmed(client: Client, method: str, target: bytes, headers: list[tuple[str, bytes]], body: bytes | None) -> None:
    """Send a request and assert that it is answered, with no 5xx and no injected header."""
    answer = ask(client.base_url, method, target, headers, body)
    assert answer is not None, f"hung up on {method} {target[:80]!r} {headers[1:]!r:.200}"
    assert answer.status < 500, (
        f"{method} {target[:80]!r} {headers[1:]!r:.200} -> {answer.status} {answer.body[:300]!r}"
    )
    assert "x-evil" not in answer.headers
