"""A finished comparison of folders as one zip, in the layout of `eval compare`: the report with its folder of clips, the tables, and
every recording and output, whole, as wav."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from eval.compare.clip_task import output_path
from eval.compare.measurement import Row
from eval.reports.player.clips import FOLDER

TOP = "comparison"  # the folder in the zip


def pack_comparison(
    path: Path,
    out: Path,
    files: Iterable[str],
    rows: Sequence[Row],
    sources: Mapping[str, Path],
    tell: Callable[[], None],
) -> None:
    """Writes the zip. out: where all of it lies; files: beside the audio; sources: {clip: its recording}; tell: called per file."""
    outputs = [output_path(out, row.system, row.clip) for row in rows if not row.error]
    recordings = [sources[clip] for clip in dict.fromkeys(row.clip for row in rows) if sources[clip].is_file()]
    scripts = sorted((out / FOLDER).glob("*.js"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in [*(out / name for name in files), *scripts, *recordings, *outputs]:
            tell()
            archive.write(file, Path(TOP, file.relative_to(out)))
