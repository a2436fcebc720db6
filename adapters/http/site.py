"""Where clients and browsers reach the API."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """The public address of a deployment.

    - `public_url`, without a slash at its end, begins every address that Dossier hands out. It may have a path, which a
      proxy removes. If it is empty, addresses begin with the path of the API.
    - `cors_origins` are the origins whose pages may call the API, such as `https://app.example.com`; `*` is every one.
    """

    public_url: str = ""
    cors_origins: tuple[str, ...] = ()


NOWHERE = Site()
"""No configured address, and no pages of other origins."""
