"""Which file is the estimate of which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vocoders.recordings.files import find_audio

ENDINGS = ("_generated", "_generated_e2e")  # what inference.py and inference_e2e.py of jik876/hifi-gan add to a name
MAX_NAMED_FILES = 3  # of either side, where nothing matches


@dataclass(frozen=True)
class Pairs:
    """files: {name: (reference, estimate)}; missing: {name: why it has no estimate}; unused: estimates of nothing."""

    files: dict[Path, tuple[Path, Path]]
    missing: dict[Path, str]
    unused: list[Path]


def pair_files(reference: Path, estimate: Path) -> Pairs:
    """Two files are a pair, whatever their names. In folders the estimate of NAME, a path below the folder, is NAME,
    NAME_generated or NAME_generated_e2e, with whatever suffix.

    Errors: ValueError where no pair is found, and those of `find_audio`.
    """
    references, estimates = find_audio([reference]), find_audio([estimate])
    if reference.is_file() and estimate.is_file():
        return Pairs({name: (path, estimate) for name, path in references.items()}, {}, [])
    files, missing = {}, {}
    for name, path in references.items():
        exact = [name] if name in estimates else []
        found = exact or [longer for e in ENDINGS if (longer := name.with_name(name.name + e)) in estimates]
        if len(found) == 1:
            files[name] = path, estimates[found[0]]
        else:
            missing[name] = f"both {' and '.join(map(str, found))} are in" if found else "no estimate in"
            missing[name] += f" {estimate}"
    if not files:
        raise ValueError(
            f"nothing in {estimate} is named as what is in {reference}: looked for NAME, NAME{', NAME'.join(ENDINGS)} with any "
            f"suffix; references: {_some(references)}; estimates: {_some(estimates)}"
        )
    used = {found for _, found in files.values()}
    return Pairs(files, missing, [path for path in estimates.values() if path not in used])


def _some(paths: Iterable[Path]) -> str:
    names = list(map(str, paths))
    more = f" and {len(names) - MAX_NAMED_FILES} more" if len(names) > MAX_NAMED_FILES else ""
    return ", ".join(names[:MAX_NAMED_FILES]) + more
