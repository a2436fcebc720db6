"""How the commands take an entity: as TYPE:ID."""

from typing import Any

import click


class Entity(click.ParamType[tuple[str, str]]):
    """An entity of another system, such as matter:M-2026/17."""

    name = "entity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        kind, _, entity = value.partition(":")
        if not (kind and entity):
            self.fail(f"{value!r} is not an entity; give TYPE:ID, such as matter:M-2026/17", param, ctx)
        return kind, entity
