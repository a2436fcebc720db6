"""The public address of the API, and the origins of web pages that may call it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """The public address of a deployment.

    - `public_url` is the beginning of every address that Dossier returns, without a slash at its end. It may have a
      path, which a proxy removes. If it is empty, addresses begin with the path of the API.
    - `cors_origins` are the origins whose pages may call the API, such as `https://app.example.com`; `*` is every
      origin.
    """

    public_url: str = ""
    cors_origins: tuple[str, ...] = ()


NOWHERE = Site()
"""A site without a configured address, which no page of another origin may call."""
