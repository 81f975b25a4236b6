"""The player's modules as one script. A browser loads no module from beside a file that is opened from disk, so that a file to send
carries them inside: the files of assets/ as they stand, each in a function of its own."""

from __future__ import annotations

import functools
import posixpath
import re

from common.paths import ASSETS

_IMPORT = re.compile(r"^import \{ ([\w, ]+) \} from '(\.{1,2}/[\w/-]+\.js)';$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^\s*(?:import|export)\b.*$|</script|<!--", re.MULTILINE | re.IGNORECASE)


@functools.cache
def script_of(entry: str) -> str:
    """JavaScript that does what the module `entry` of assets/ does, with everything that it imports.

    Errors: ValueError for a form of import or export that this does not know, and for modules that import each other.
    """
    placed: dict[str, str] = {}
    _place(entry, placed, ())
    return "'use strict';\n" + "\n".join(placed.values())


def _place(name: str, placed: dict[str, str], path: tuple[str, ...]) -> None:
    """Adds the module to `placed`, behind those that it imports. path: of imports that led to it."""
    if name in path:
        raise ValueError(f"modules import each other: {' -> '.join((*path, name))}")
    if name in placed:
        return
    text = (ASSETS / name).read_text(encoding="utf-8")
    for _, imported in _IMPORT.findall(text):
        _place(_beside(name, imported), placed, (*path, name))
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub(
        "", _IMPORT.sub(lambda found: f"const {{ {found[1]} }} = {_variable(_beside(name, found[2]))};", text)
    )
    if left := _LEFT.search(body):
        raise ValueError(f"{name}: {left[0].strip()!r} cannot be part of a script inside a page")
    placed[name] = f"const {_variable(name)} = (() => {{\n{body}return {{ {exported} }};\n}})();"


def _beside(name: str, imported: str) -> str:
    """The module that `name` imports, from assets/ on."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), imported))


def _variable(name: str) -> str:
    return "module_" + name.removesuffix(".js").replace("-", "_").replace("/", "_")
