#!/bin/sh
# Print the path of the Python to use: of all that can run Dossier, the first one with the most optimisations. `python3`
# comes first, so another one is used only if it is faster, or if `python3` is too old.
folder=$(dirname "$0")
for python in python3 python3.13 python3.12 python3.11 \
    /usr/bin/python3 /usr/local/bin/python3 /opt/homebrew/bin/python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 "$HOME"/.local/share/uv/python/*/bin/python3
do
    "$python" "$folder/interpreter.py" rank 2>/dev/null
done | sort -s -k 1,1nr | head -n 1 | cut -d ' ' -f 2-
