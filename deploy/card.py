"""The front matter of README.md: what a Space is told about the app.

Keys and values as documented in https://huggingface.co/docs/hub/spaces-config-reference; a Space with a wrong one does not
start, or starts with something else than was meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

KEYS = frozenset((
    "title", "emoji", "colorFrom", "colorTo", "sdk", "python_version", "sdk_version", "suggested_hardware",
    "suggested_storage", "app_file", "app_build_command", "app_port", "base_path", "fullWidth", "header",
    "short_description", "models", "datasets", "tags", "license", "thumbnail", "pinned", "hf_oauth", "hf_oauth_scopes",
    "hf_oauth_expiration_minutes", "hf_oauth_authorized_org", "disable_embedding", "startup_duration_timeout",
    "custom_headers", "preload_from_hub",
))  # fmt: skip
REQUIRED = ("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
PYTHONS = ("3.10", "3.11", "3.12")  # those the app runs on
ZERO_GPU = "zero-a10g"  # the flavour's name, whatever the card behind it
ZERO_GPU_PYTHONS = ("3.10", "3.12")
MAX_DESCRIPTION_CHARS = 60
# A token of the hub, or a password within an address
SECRET = re.compile(r"\bhf_[A-Za-z0-9]{20,}|\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@${]+@")


def read_card(root: Path) -> dict:
    """The front matter. Errors: ValueError when there is none or it is no mapping."""
    import yaml

    text = (root / "README.md").read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?)^---\n", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError('README.md: no front matter; it stands between two lines "---" at the very top')
    try:
        card = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        raise ValueError(f"README.md: the front matter is no YAML: {error}") from error
    if not isinstance(card, dict):
        raise ValueError("README.md: the front matter is no mapping of keys to values")
    return card


def check_card(root: Path, hardware: str | None = None) -> dict:
    """The front matter, valid; `hardware`: what it is to run on, where that is known already.

    Errors: ValueError naming everything that is wrong.
    """
    card = read_card(root)
    if problems := [*_problems(card, root, hardware)]:
        raise ValueError(f"README.md: {'; '.join(problems)}")
    return card


def hardware_flavours() -> tuple[str, ...]:
    """Names of the machines that the hub offers to a Space, as its client library lists them."""
    from huggingface_hub import SpaceHardware

    return tuple(flavour.value for flavour in SpaceHardware)


def _problems(card: Mapping, root: Path, hardware: str | None) -> Iterator[str]:
    for key in sorted(map(str, card.keys() - KEYS)):
        yield f"{key} is not a key that Spaces know"
    for key in REQUIRED:
        if key not in card:
            yield f"{key} is missing"
    for key in ("colorFrom", "colorTo"):
        yield from _one_of(card, key, COLOURS)
    yield from _one_of(card, "sdk", ("gradio",))
    yield from _one_of(card, "suggested_hardware", hardware_flavours())
    if "emoji" in card and not _is_emoji(card["emoji"]):
        yield f"emoji is {card['emoji']!r}, not one emoji"
    if len(description := str(card.get("short_description", ""))) > MAX_DESCRIPTION_CHARS:
        yield f"short_description has {len(description)} characters; {MAX_DESCRIPTION_CHARS} are allowed"
    if "app_file" in card and not _is_inside(root, card["app_file"]):
        yield f"app_file is {card['app_file']!r}, which does not exist"
    yield from _python(card, hardware or card.get("suggested_hardware"))
    yield from _gradio(card, root)
    if SECRET.search(str(card)):
        yield "it holds what looks like a token or a password, and everybody can read it"


def _one_of(card: Mapping, key: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if key in card and card[key] not in allowed:
        yield f"{key} is {card[key]!r}; it can be {', '.join(allowed)}"


def _python(card: Mapping, hardware: str | None) -> Iterator[str]:
    version = card.get("python_version", PYTHONS[0])
    if not isinstance(version, str):
        yield f'python_version is the number {version!r}; it needs quotes, or YAML makes 3.1 of 3.10: "3.11"'
        return
    allowed = ZERO_GPU_PYTHONS if hardware == ZERO_GPU else PYTHONS
    if not re.fullmatch(rf"({'|'.join(map(re.escape, allowed))})(\.\d+)?", version):
        on = f" on {ZERO_GPU}" if hardware == ZERO_GPU else ""
        yield f"python_version is {version!r}; it can be {', '.join(allowed)}{on}"


def _gradio(card: Mapping, root: Path) -> Iterator[str]:
    """The Space installs sdk_version first and requirements.txt afterwards: they must agree."""
    from packaging.requirements import Requirement
    from packaging.version import InvalidVersion, Version

    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = next(r for r in map(Requirement, filter(None, lines)) if r.name == "gradio")
    try:
        fits = Version(str(card.get("sdk_version"))) in wanted.specifier
    except InvalidVersion:
        fits = False
    if "sdk_version" in card and not fits:
        yield f"sdk_version is {card['sdk_version']!r}, but requirements.txt wants {wanted}"


def _is_emoji(value: object) -> bool:
    """One picture, with what may be joined to it: skin tone, variation selector, joiner."""
    kinds = [unicodedata.category(character) for character in str(value)]
    return kinds[:1] == ["So"] and set(kinds) <= {"So", "Sk", "Mn", "Cf"}


def _is_inside(root: Path, name: object) -> bool:
    path = (root / str(name)).resolve()
    return path.is_file() and path.is_relative_to(root.resolve())
