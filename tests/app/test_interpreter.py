"""`make run` uses the Python that was built with the most optimisations."""

import os
import runpy
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_documents import ROOT

_INTERPRETER: dict[str, Any] = runpy.run_path(str(ROOT / "requirements/interpreter.py"))
BOTH = ["profile-guided optimisation", "link-time optimisation"]


@pytest.mark.parametrize(
    ("arguments", "flags", "expected"),
    [
        ("'--prefix=/opt/python' '--enable-shared'", "-O3 -Wall", []),
        ("'--enable-optimizations'", "-O3", BOTH[:1]),
        ("'--enable-optimizations' '--with-lto'", "-O3", BOTH),
        ("", "-O3 -fprofile-use -flto=auto", BOTH),
        ("'--with-wheel-pkg-dir=/usr/share/python-wheels/'", "-O2", BOTH),
    ],
)
def test_the_optimisations_of_an_interpreter_are_recognised(
    arguments: str, flags: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", {"CONFIG_ARGS": arguments, "PY_CFLAGS": flags}.get)
    assert _INTERPRETER["optimisations"]() == expected


@pytest.mark.parametrize(
    ("pythons", "expected"),
    [
        ({"python3": "2 /python3", "python3.12": "2 /python3.12"}, "/python3"),
        ({"python3": "1 /python3", "python3.12": "2 /python3.12", "python3.11": "2 /python3.11"}, "/python3.12"),
        ({"python3": "", "python3.11": "2 /python3.11"}, "/python3.11"),
    ],
)
def test_of_all_interpreters_the_first_with_the_most_optimisations_is_chosen(
    pythons: dict[str, str], expected: str, tmp_path: Path
) -> None:
    for name, line in pythons.items():
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\necho '{line}'\n")
        script.chmod(0o700)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    command = ["sh", str(ROOT / "requirements/choose_python.sh")]
    assert (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == f"{expected}\n"
    )
