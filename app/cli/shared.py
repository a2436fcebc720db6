"""The functions that all commands share: to read the settings, to open the service, and to print text or JSON."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from app.settings import Settings
from app.wiring import Service, open_service

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


def settings() -> Settings:
    """Return the settings of the environment."""
    return Settings.read(os.environ)


def with_service(act: Callable[[Service], Awaitable[T]]) -> T:
    """Open the service of the settings for the duration of `act`. Return what `act` returns."""

    async def run() -> T:
        async with open_service(settings()) as service:
            return await act(service)

    return asyncio.run(run())


def say(facts: dict[str, object], text: str, as_json: bool) -> None:
    """Print the facts as JSON with `--json`, and otherwise the text."""
    click.echo(json.dumps(facts) if as_json else text)
