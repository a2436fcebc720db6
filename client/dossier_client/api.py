"""A deployment, and how one request of its API is sent."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from dossier_client.errors import error_of, expected
from dossier_client.retries import Patience, answered
from dossier_client.steps import Reply, Send, Steps


@dataclass(frozen=True, slots=True)
class Api:
    """A deployment and an API key for it. `url` has no slash at its end.

    Raises:
        ValueError: the URL or the API key cannot be used. Its text does not contain the API key.
    """

    url: str
    api_key: str
    patience: Patience = Patience()  # noqa: RUF009  it is immutable

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"the URL of a deployment begins with https:// or http://, and {self.url!r} does not")
        if not (self.api_key.isascii() and self.api_key.isprintable()) or " " in self.api_key:
            raise ValueError("the API key contains a character that no API key has, such as a space or a line end")

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Steps[Reply]:
        """Send a request of the API until it is answered, and return the 2xx response.

        A change gets an idempotency key before its first try, unless the caller passes one of an earlier run.

        Raises:
            ApiError: the API refused the request.
            NotAnswered: no response arrived in time.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        sent = {"Authorization": f"Bearer {self.api_key}", "Accept": "application/json", **(headers or {})}
        if method != "GET":
            sent["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        if body is not None:
            sent["Content-Type"] = "application/json"
        # A lone surrogate, as of a file name that is not UTF-8, is sent in each part. The server refuses it in words.
        query_string = urlencode(given, doseq=True, quote_via=quote, errors="surrogatepass")
        url = self.url + path + (f"?{query_string}" if given else "")
        encoded = None if body is None else json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")
        reply = yield from answered(partial(Send, method, url, sent, encoded), self.patience)
        if not 200 <= reply.status < 300:
            raise error_of(reply)
        return reply


def segment(text: str) -> str:
    """Return the text as one segment of a path.

    Raises:
        ValueError: the text is empty, or one that HTTP libraries resolve, and so the path of another operation.
    """
    if text in {"", ".", ".."}:
        raise ValueError(f"{text!r} cannot be a part of a path")
    return quote(text, safe="", errors="surrogatepass")


def data_of(reply: Reply) -> Mapping[str, Any]:
    """Return the `data` of a 2xx response."""
    with expected(reply):
        data: Mapping[str, Any] = {**json.loads(reply.body)["data"]}
        return data
