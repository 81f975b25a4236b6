"""The result of a run: weights, model card, credits and curves, and all of them in one zip."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from common.durable import write_durably, write_text_durably
from eval.metrics.pitch import f0_error, tracker_missing
from train.curves import CSV, PICTURE, draw_curves
from train.data.pack import Pack
from train.export import export
from train.voice.progress import (
    BEFORE,
    CARD,
    CREDITS,
    CURVES,
    FILES,
    GRIFFIN_LIM,
    ORIGINAL,
    PACKED,
    TABLE,
    WEIGHTS,
    Progress,
)
from train.voice.recipe import SHIPPED, SHIPPED_LICENCE
from train.voice.sounds import read_sound

NOT_STATED = "not stated: its owner decides"
MAX_LICENCE_CHARS = 200
TOP = "voice"  # the folder in the zip
_CREDITED = re.compile(r"^## Credits\n+(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def licence_of(adapts: bool, recordings: str) -> str:
    """Of the result. recordings: theirs, as their owner states it."""
    if not adapts:
        return one_line(recordings) or NOT_STATED
    return f"{SHIPPED_LICENCE}, as the model it was adapted from; recordings: {one_line(recordings) or NOT_STATED}"


def one_line(text: str) -> str:
    """What somebody typed, without line breaks and marks that would be more than text in a card; not too long."""
    return re.sub(r"[\s|`<>\[\]*_#]+", " ", text).strip()[:MAX_LICENCE_CHARS]


def write_result(voice: Path, run: Path, progress: Progress, pack: Pack, recordings: str) -> None:
    """Writes the files into VOICE/files; the zip is there last. Errors: ValueError for a generator without sound, `DiskFull`."""
    files = voice / FILES
    licence = licence_of(progress.adapts, recordings)
    about = export(run, files / WEIGHTS, half=True, licence=licence).about
    draw_curves(run, f"{about['preset']}, {progress.step} steps, {progress.spent:.0f} min on {about['hardware']}")
    shutil.copyfile(run / PICTURE, files / CURVES)
    shutil.copyfile(run / CSV, files / TABLE)
    write_text_durably(files / CARD, card(files, progress, about, pack, licence))
    write_text_durably(files / CREDITS, credits_of(progress.adapts, recordings))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in (WEIGHTS, CARD, CREDITS, CURVES, TABLE):
            archive.write(files / name, f"{TOP}/{name}")
    write_durably(files / PACKED, content.getbuffer())


def credits_of(adapts: bool, recordings: str) -> str:
    """Markdown: who is behind the result."""
    lines = ["# Credits", "", f"Recordings of the voice: {one_line(recordings) or NOT_STATED}."]
    if adapts:
        found = _CREDITED.search(SHIPPED.with_suffix(".md").read_text(encoding="utf-8"))
        lines += [
            "",
            f"Adapted from `{SHIPPED.stem}` of the Vocoder Listening Lab, {SHIPPED_LICENCE}, whose credits are:",
            "",
        ]
        lines += [found[1].strip() if found else "see its model card"]
    return "\n".join(lines) + "\n"


def card(files: Path, progress: Progress, about: Mapping[str, str], pack: Pack, licence: str) -> str:
    """Markdown: what was trained, on what, how well."""
    began = f"adapted from `{SHIPPED.stem}`" if progress.adapts else "trained from nothing"
    best = progress.best
    assert best is not None  # else there is nothing to export
    chosen = "the start itself, which no later one was better than" if best.step == 0 else f"of step {best.step}"
    skipped = f"; {len(progress.skipped)} files could not be used" if progress.skipped else ""
    licences = ", ".join(f"{one_line(name)} ({count} passages)" for name, count in pack.licences().items())
    rows = "\n".join(f"| {title} | {values} |" for title, values in _measured(files, progress).items())
    return f"""# A harmonic-plus-noise vocoder of one voice

A vocoder for the hw2 mel (80 HTK bands to 8 kHz, linear power, 22 050 Hz), {began} in the Vocoder Listening Lab.

![Losses over steps](curves.png)

| | |
|---|---|
| Run | preset `{about["preset"]}`: {progress.step} steps in {progress.spent:.1f} minutes on {about["hardware"]} |
| Generator | the best by validation M-STFT, {chosen}; the average over steps, float16 |
| Data | {progress.seconds[0]:.0f} s of sound{skipped} |
| Validation | {progress.held_out} |
| Licences of the recordings | {licences} |
| Licence | {licence} |
| Code | {about["revision"]} |

## How good it is

On the held-out passages that can be heard, with the guide of its training:

| | M-STFT ↓ | F0 error ↓ (semitones) |
|---|---|---|
{rows}

`Griffin-Lim` is the waveform from the mel alone. The validation M-STFT, over all of what is held out, is in `{TABLE}`.

## Use

Drop `{WEIGHTS}` into the page's tab Vocoders, or name it wherever a system is asked for:

```sh
python -m vocoders resynth song.wav --vocoders {WEIGHTS} --out out
```

## Limits

* It was trained on little sound of few voices, for minutes: on others it may be worse than what it began with.
* Nothing above 8 kHz is in the mel; what is heard there is invented.
* Nobody listened to it in a blind test.

See `{CREDITS}` for the credits.
"""


def _measured(files: Path, progress: Progress) -> dict[str, str]:
    """{row: its cells}, of what is heard."""
    from eval.metrics.registry import METRICS

    best = progress.best
    made = BEFORE if best is None or best.step == 0 else f"step-{best.step:07}"
    rows = {"Griffin-Lim": GRIFFIN_LIM, "before training": BEFORE, "**this generator**": made}
    wanted = read_sound(files / f"{ORIGINAL}.wav")
    found = {}
    for title, name in rows.items():
        if (files / f"{name}.wav").is_file():
            samples = read_sound(files / f"{name}.wav")
            stft = METRICS["M-STFT"].value(wanted, samples)
            pitch = None if tracker_missing() else f0_error(wanted, samples)
            found[title] = " | ".join("-" if v is None or v != v else f"{v:.3f}" for v in (stft, pitch))
    return found
