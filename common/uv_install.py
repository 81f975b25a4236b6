"""`uv pip install` with pip's configuration, which uv itself does not read. `./run` falls back to pip where this fails.

.venv/bin/python -m common.uv_install -r requirements.txt     the arguments of `uv pip install`
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SECTIONS = ("global", "install", ":env:")  # a later one replaces the values of an earlier one, as in pip
LISTS = {
    "constraint": "--constraint",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
}
FLAGS = {"no-cache-dir": "--no-cache", "no-index": "--no-index"}
FALSE = {"0", "f", "false", "n", "no", "off"}
WITHOUT_EFFECT = {  # on the choice of what is installed
    "cache-dir", "cert", "config-file", "default-timeout", "disable-pip-version-check", "no-color", "no-input", "progress-bar",
    "quiet", "require-virtualenv", "retries", "root-user-action", "timeout", "verbose",
}  # fmt: skip


def pip_configuration(listing: str) -> dict[str, str]:
    """The output of `pip config list` -> {key: value} as `pip install` uses it."""
    lines = dict(line.split("=", 1) for line in listing.splitlines() if "=" in line)
    found: dict[str, str] = {}
    for section in SECTIONS:
        for name, value in lines.items():
            place, _, key = name.rpartition(".")
            if place == section:
                found[key] = ast.literal_eval(value)
    return found


def uv_options(configuration: Mapping[str, str]) -> list[str]:
    """Options that let uv choose what pip would. Errors: ValueError naming a key that has no counterpart."""
    options = ["--index-strategy=unsafe-best-match"]  # all indexes count alike, as for pip
    for key, value in configuration.items():
        if key == "index-url":
            options.append(f"--index-url={value}")
        elif key in LISTS:
            options += [f"{LISTS[key]}={part}" for part in value.split()]
        elif key in FLAGS:
            options += [] if value.lower() in FALSE else [FLAGS[key]]
        elif key not in WITHOUT_EFFECT:
            raise ValueError(f"pip is configured with {key}, which uv cannot be given")
    return options


def main() -> None:
    """Installs into the environment of this Python."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    configuration = pip_configuration(listing.stdout)
    certificates = {"SSL_CERT_FILE": configuration["cert"]} if "cert" in configuration else {}
    try:
        options = uv_options(configuration)
    except ValueError as error:
        sys.exit(f"run: {error}")
    command = [
        str(Path(sys.executable).with_name("uv")),
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",  # as pip does; else every process compiles all it imports where no bytecode may be written
        "--python",
        sys.executable,
        *options,
    ]
    sys.exit(subprocess.run([*command, *sys.argv[1:]], env=os.environ | certificates).returncode)


if __name__ == "__main__":
    main()
