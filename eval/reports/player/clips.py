"""The clips of a folder's comparison in the player of its report: the first ones inside the report, the others beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from common.durable import write_text_durably
from eval.compare.clip_task import CLIP_LIMITS, output_path
from eval.compare.measurement import Row
from eval.metrics.loudness import Level, level_of, match_levels
from eval.metrics.registry import METRICS
from eval.reports.player.media import flac
from eval.reports.player.package import Package
from eval.reports.player.value import Picture, Track, player_value
from eval.reports.spectrogram import difference_png, level, level_png
from vocoders.audio import Waveform, to_pcm16
from vocoders.recordings.reader import AudioError, read_recording

MAX_CLIPS = 100  # in the player; all outputs lie beside the report
MAX_INSIDE_BYTES = 20_000_000  # of clips inside the report; the others are scripts beside it
MAX_CLIP_SECONDS = 20.0  # of a clip, from its start
FOLDER = "report-clips"  # of the scripts, beside the report
REFERENCE = "reference"
METRICS_SHOWN = 3  # of an output, in its row


@dataclass
class ReportClips:
    """What the report's template needs. titles: {number: clip}, those in the player; inside: {number: JSON}; left_out: clips."""

    titles: dict[int, str]
    left_out: int
    inside: dict[int, Markup] = field(default_factory=dict)
    folder: str = FOLDER
    seconds: float = MAX_CLIP_SECONDS

    @property
    def shown_first(self) -> int:
        """The number of a clip inside the report, if there is any."""
        return min(self.inside, default=0)

    @property
    def outside(self) -> list[str]:
        """Clips of the player that the report finds only with the folder beside it."""
        return [clip for number, clip in self.titles.items() if number not in self.inside]

    def number(self, clip: str) -> int | None:
        """Of a clip; None for one that is not in the player."""
        return next((number for number, title in self.titles.items() if title == clip), None)


def write_clips(
    rows: Sequence[Row],
    titles: Mapping[str, str],
    sources: Mapping[str, Path],
    out: Path,
    first: Iterable[str],
    max_clips: int = MAX_CLIPS,
    max_inside_bytes: int = MAX_INSIDE_BYTES,
) -> ReportClips:
    """Packs the clips, and writes those that find no room inside the report into a folder of `out`.

    titles: of systems; sources, out: as of `write_report`; first: clips that are inside before all others.

    Errors: `DiskFull`.
    """
    by_clip: dict[str, list[Row]] = {}
    for row in rows:
        by_clip.setdefault(row.clip, []).append(row)
    wanted = list(dict.fromkeys((*first, *by_clip)))[:max_clips]
    numbers = {clip: number for number, clip in enumerate(clip for clip in by_clip if clip in wanted)}
    clips = ReportClips({number: clip for clip, number in numbers.items()}, len(by_clip) - len(numbers))
    folder, room = out / FOLDER, max_inside_bytes
    for old in folder.glob("*.js"):
        old.unlink()
    for clip in wanted:
        packed = _packed(clip, by_clip[clip], titles, sources[clip], out).as_json()
        if len(packed) <= room:
            clips.inside[numbers[clip]], room = packed, room - len(packed)
        else:
            folder.mkdir(exist_ok=True)
            call = f"labClip({json.dumps(str(numbers[clip]))}, {packed});\n"
            write_text_durably(folder / f"{numbers[clip]}.js", call)
    return clips


def _packed(clip: str, rows: Sequence[Row], titles: Mapping[str, str], source: Path, out: Path) -> Package:
    found: dict[str, Waveform | str] = {REFERENCE: _recording(source)}
    found |= {row.system: row.error or _output(output_path(out, row.system, clip)) for row in rows}
    sounds = {name: samples for name, samples in found.items() if isinstance(samples, Waveform)}
    levels = match_levels({name: level_of(x) for name, x in sounds.items()})
    package, about = Package({}), {row.system: _about(row) for row in rows}
    tracks = [
        _track(package, name, titles.get(name, "Recording"), about.get(name, ""), samples, levels.get(name), sounds)
        for name, samples in found.items()
    ]
    seconds = max((sound.seconds for sound in sounds.values()), default=0.0)
    rate = max(sound.rate for sound in sounds.values())
    ready = sum(track.state == "ready" for track in tracks[1:])
    package.value = player_value(clip, seconds, tracks, "done", f"{ready} of {len(rows)} systems", rate=rate)
    return package


def _track(
    package: Package,
    name: str,
    title: str,
    about: str,
    samples: Waveform | str,
    matched: Level | None,
    sounds: Mapping[str, Waveform],
) -> Track:
    """samples: or why there are none."""
    if matched is None or isinstance(samples, str):
        return Track(name, title, about, "failed", error=str(samples))
    audio = package.add(("audio/flac", flac(to_pcm16(samples.samples), samples.rate)))
    png = level_png(level(samples.samples, samples.rate))
    image, difference = Picture(package.add(("image/png", png))["url"], samples.rate / 2), None
    if name != REFERENCE and REFERENCE in sounds:
        difference = _difference(package, sounds[REFERENCE], samples)
    return Track(
        name,
        title,
        about,
        "ready",
        audio=audio["url"],
        image=image,
        difference=difference,
        gain=matched.gain,
        download=f"{name}.flac",
    )


def _difference(package: Package, reference: Waveform, output: Waveform) -> Picture:
    """At the lower of the two rates, as long as the shorter of the two."""
    rate = min(reference.rate, output.rate)
    wanted, found = (level(waveform.at(rate), rate) for waveform in (reference, output))
    frames = min(wanted.shape[1], found.shape[1])
    png = difference_png(found[:, :frames] - wanted[:, :frames])
    return Picture(package.add(("image/png", png))["url"], rate / 2)


def _recording(path: Path) -> Waveform | str:
    """The beginning of a recording, or why there is none."""
    try:
        native = read_recording(path, CLIP_LIMITS).native
    except AudioError as error:
        return str(error)
    return Waveform(native.samples[: round(MAX_CLIP_SECONDS * native.rate)], native.rate)


def _output(path: Path) -> Waveform:
    """The beginning of an output, as it was written."""
    import soundfile

    # Opened here, since soundfile encodes paths, and a name need not be UTF-8
    with path.open("rb") as raw, soundfile.SoundFile(raw) as file:
        return Waveform(file.read(round(MAX_CLIP_SECONDS * file.samplerate), dtype="float32"), file.samplerate)


def _about(row: Row) -> str:
    """The first metrics of an output, and what was noticed about it."""
    known = [(METRICS[name], value) for name, value in row.metrics.items() if value is not None][:METRICS_SHOWN]
    numbers = ", ".join(f"{metric.name} {value:.3f} {metric.unit}".strip() for metric, value in known)
    return "; ".join(filter(None, (numbers, *row.notes)))
