"""Every module belongs to a layer that import-linter checks."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("app", "domain", "ports", "adapters", "tests", "bench")


def layers() -> list[set[str]]:
    """The layers of the first contract, from the outermost in."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [set(layer.split(" | ")) for layer in contracts[0]["layers"]]


def test_every_module_belongs_to_a_layer() -> None:
    named = set().union(*layers())
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for top in CODE
        for file in (ROOT / top).rglob("*.py")
        if file.name != "__init__.py"
    ]
    homeless = [
        module for module in modules if not any(module == layer or module.startswith(layer + ".") for layer in named)
    ]
    assert homeless == []
    assert len(modules) > 50


def test_no_python_file_is_outside_the_layers() -> None:
    ignored = {".venv", "build", "dist"}
    tops = {file.relative_to(ROOT).parts[0] for file in ROOT.rglob("*.py")}
    assert {top for top in tops if not top.startswith(".")} - ignored == set(CODE)


def test_every_layer_is_a_module_that_exists() -> None:
    for layer in set().union(*layers()):
        path = ROOT.joinpath(*layer.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), layer
