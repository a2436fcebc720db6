"""How a Python interpreter was built. `choose_python.sh` and the benchmark run this script.

`rank`: print the number of its optimisations and its path, or nothing if it cannot run Dossier or create environments.
`describe`: print its version and how it was built. `advise`: print how to get a faster one, if it has no optimisation.

Python 3.6 must be able to run this script, so that `rank` can refuse it.
"""

import os
import sys
import sysconfig

OLDEST = (3, 11)
NEWEST = (3, 13)
"""The newest version that is chosen without being named. Not every package has a wheel for a newer one."""

# Debian and Ubuntu build with both optimisations, by rules of their own, which these variables do not show.
_DEBIAN = "--with-wheel-pkg-dir=/usr/share/python-wheels"


def optimisations() -> "list[str]":
    """Return the optimisations with which the interpreter was built."""
    variables = ("CONFIG_ARGS", "PY_CFLAGS", "PY_LDFLAGS", "PY_CORE_LDFLAGS")
    flags = " ".join(str(sysconfig.get_config_var(name)) for name in variables)
    found = []
    if any(flag in flags for flag in (_DEBIAN, "--enable-optimizations", "-fprofile-use")):
        found.append("profile-guided optimisation")
    if any(flag in flags for flag in (_DEBIAN, "--with-lto", "-flto")):
        found.append("link-time optimisation")
    return found


def is_usable() -> bool:
    """Return whether Dossier runs on this interpreter and whether it can create environments."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST or sys.version_info.releaselevel != "final":
        return False
    # A build without the global lock is slower.
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    try:
        # Debian has ensurepip in a package of its own.
        __import__("ensurepip")
        __import__("ssl")
    except ImportError:
        return False
    # An environment made from another one would end with it.
    return sys.prefix == sys.base_prefix


def main(command: str) -> None:
    version = sys.version.split()[0]
    if command == "rank":
        line = f"{len(optimisations())} {os.path.realpath(sys.executable)}" if is_usable() else ""
    elif command == "describe":
        built = "with " + " and ".join(optimisations()) if optimisations() else "without optimisation"
        line = f"{sys.implementation.name.replace('cpython', 'CPython')} {version}, built {built}"
    else:
        line = (
            f"Python {version} is built without optimisation, so Dossier is about 10 % slower. For a faster one: "
            "'apt-get install python3-venv' (Debian, Ubuntu) or 'uv python install 3.13'; then 'make clean run'."
            if not optimisations()
            else ""
        )
    if line:
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
