"""Which deployment the commands talk to: environment variables, or else what `dossier login` has kept."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click

from dossier_client.client import Client
from dossier_client.commands.jobs import sleep
from dossier_client.errors import ApiError, DossierError
from dossier_client.retries import Patience

URL = "DOSSIER_URL"
API_KEY = "DOSSIER_API_KEY"
"""The environment variables. Each wins over what is kept."""


class NotLoggedIn(DossierError):
    """The commands do not know the deployment or the API key."""


def connected(patience: Patience | None = None) -> Client:
    """Return a client of the deployment that the environment names, or that `dossier login` has kept.

    Raises:
        NotLoggedIn: neither names one.
    """
    kept = _read()
    url, api_key = os.environ.get(URL) or kept.get("url"), os.environ.get(API_KEY) or kept.get("api_key")
    if not url or not api_key:
        raise NotLoggedIn(f"No deployment is known: run `dossier login URL`, or set {URL} and {API_KEY}.")
    if url != kept.get("url") and not os.environ.get(API_KEY):
        # An API key is sent only to the deployment that it was kept for.
        raise NotLoggedIn(f"{URL} names another deployment than `dossier login` did; set {API_KEY} too.")
    return _client(url, api_key, patience or Patience())


def _client(url: str, api_key: str, patience: Patience) -> Client:
    try:
        return Client(url, api_key, patience=patience, sleep=sleep)
    except ValueError as error:
        raise NotLoggedIn(f"{error}; run `dossier login URL`, or correct {URL} and {API_KEY}.") from None


@click.command()
@click.argument("url")
@click.option("--api-key", prompt="API key", hide_input=True, envvar=API_KEY, help="Asked for if it is not given.")
def login(url: str, api_key: str) -> None:
    """Keep the URL of a deployment and an API key for it, for the other commands. The file is readable only by you."""
    with _client(url, api_key, Patience(failures=5)) as client:
        try:
            client.usage()
        except ApiError as error:
            # A key that may not read, such as that of an intake form, is a valid one.
            if error.code != "insufficient_permissions":
                raise
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"url": url.rstrip("/"), "api_key": api_key}, file)
    new.replace(path)
    click.echo(f"Kept in {path}.")


def _path() -> Path:
    return Path(click.get_app_dir("dossier")) / "login.json"


def _read() -> Mapping[str, str]:
    path = _path()
    try:
        kept: Mapping[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotLoggedIn(f"{path} cannot be read ({error}); run `dossier login URL` again.") from error
    return kept
