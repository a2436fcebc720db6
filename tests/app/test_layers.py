"""Every module belongs to a layer that import-linter checks."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = {"app", "domain", "ports", "adapters", "client", "tests", "bench"}
PACKAGES = {"dossier_client": ROOT / "client" / "dossier_client"}
"""Packages that are not folders at the top."""
SCRIPTS = {"requirements"}
"""Folders of scripts that no module imports."""


def test_every_module_belongs_to_a_layer_and_every_layer_exists() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {name for layer in contracts[0]["layers"] for name in layer.split(" | ")}
    roots = [*(ROOT / top for top in CODE - {"client"}), *PACKAGES.values()]
    files = [file.relative_to(root.parent) for root in roots for file in root.rglob("*.py")]
    modules = [".".join(file.with_suffix("").parts) for file in files if file.name != "__init__.py"]
    assert len(modules) > 50
    assert [module for module in modules if not any(f"{module}.".startswith(f"{layer}.") for layer in layers)] == []
    for layer in layers:
        path = PACKAGES.get(layer, ROOT.joinpath(*layer.split(".")))
        assert path.is_dir() or path.with_suffix(".py").is_file(), layer


def test_no_python_file_is_outside_the_layers() -> None:
    tops = {file.relative_to(ROOT).parts[0] for file in ROOT.rglob("*.py")}
    assert {top for top in tops if not top.startswith(".")} - {"build", "dist"} == CODE | SCRIPTS
