"""report.html of a comparison: one page with everything in it, for a person to read and listen to."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from common.durable import write_text_durably
from common.templates import number, render
from eval.compare.clip_task import CLIP_LIMITS, output_path
from eval.compare.intervals import MIN_VALUES
from eval.compare.measurement import Row
from eval.compare.native.placing import at_common_rate
from eval.compare.output_folder import AnySystem
from eval.compare.summary import Summary
from eval.metrics.loudness import level_of, match_levels
from eval.metrics.registry import METRICS
from eval.metrics.set_distances import SET_DISTANCES
from eval.reports.bundle import versions
from eval.reports.charts import scatter, strip_plot
from eval.reports.columns import Column, column_of, views_of
from eval.reports.player.clips import write_clips
from eval.reports.player.page import PLAYER_STYLES, style_of
from eval.reports.player.script import script_of
from eval.reports.spectrogram import difference, difference_png, level, level_png
from eval.reports.svg import Drawing
from vocoders.audio import SAMPLE_RATE, AtAnyRate, Recording, Waveform, own_of
from vocoders.hifigan.precision import BFLOAT16, FLOAT32
from vocoders.recordings.reader import AudioError, read_recording

MAX_PLAYED_SECONDS = 12.0  # of a clip, played in the report
MP3_RATES = {16_000, 22_050, 24_000, 32_000, 44_100, 48_000}  # Hz, of MPEG 1 and 2
SPREAD = "M-STFT"  # what the best and the worst clip are chosen by, where it was measured
AGAINST_SPEED = ("M-STFT", "F0 error", "Distill-MOS")  # metrics that get a chart of their own, where they were measured
COST, SETS = "Cost", "Whole sets"  # groups of columns
COST_COLUMNS = (
    Column("speed", "× real time", "higher", "Seconds of audio per second of computing, on this machine", COST),
    Column("peak memory", "MB", "lower", "The most the whole process held while it computed", COST),
    Column("parameters", "million", "", "Numbers that were trained", COST),
)


def write_report(
    path: Path,
    rows: Sequence[Row],
    summary: Summary,
    systems: Sequence[AnySystem],
    sources: Mapping[str, Path],
    out: Path,
    rates: Mapping[str, int] | None = None,
) -> list[str]:
    """The clips whose sound is not in the file alone, but in the folder `eval.reports.player.clips.FOLDER` beside it.

    sources: {clip: the recording}; out: where `eval.compare.clip_task` left the outputs; rates: {metric: Hz}, none where all are
    at 22 050 Hz.
    """
    titles = {system.id: system.title for system in systems}
    good = [row for row in rows if not row.error]
    extremes = _extremes(good, summary, sources, out)
    heard_first = [str(card["clip"]) for cards in extremes.values() for card in cards]
    playable = [row for row in rows if row.clip in {one.clip for one in good}]
    clips = write_clips(playable, titles, sources, out, heard_first)
    columns = [*(_mean_column(name, summary, rates or {}) for name in summary.metrics), *COST_COLUMNS]
    page = render(
        "eval/reports/templates/comparison.html",
        summary=summary,
        systems=systems,
        titles=titles,
        costs={system.id: _cost(system, summary) for system in systems},
        clips={row.clip for row in good},
        minutes=sum({row.clip: row.seconds for row in good}.values()) / 60,
        fewest=MIN_VALUES,
        columns=columns,
        views=views_of(columns),
        rates=rates or {},
        set_columns=_set_columns(summary),
        in_bfloat16=[system for system, found in summary.precisions.items() if BFLOAT16 in found],
        float32=FLOAT32,
        strips=[_strip(metric, rows, summary, titles) for metric in summary.metrics],
        speeds=[_against_speed(name, summary, titles) for name in AGAINST_SPEED if name in summary.metrics],
        extremes=extremes,
        clips_played=clips,
        script=Markup(script_of("sent/report-page.js")),
        player_style=style_of(PLAYER_STYLES),
        failed=[row for row in rows if row.error],
        notices={row.clip: "; ".join(row.notices) for row in rows if row.notices},
        notes={f"{row.clip}, {row.system}": "; ".join(row.notes) for row in rows if row.notes},
        versions=versions(),
    )
    write_text_durably(path, page)
    return clips.outside


def _mean_column(metric: str, summary: Summary, rates: Mapping[str, int]) -> Column:
    rate = f", at {rates[metric] / 1000:g} kHz" if rates else ""
    return column_of(metric, f"n = {summary.n[metric]} of {summary.clips}{rate}")


def _set_columns(summary: Summary) -> list[Column]:
    """Of the distances of whole sets that could be computed."""
    return [
        Column(name, "", "lower", distance.about, SETS, f"n = {summary.embeddings[distance.embedding]}")
        for name, distance in SET_DISTANCES.items()
        if name not in summary.reasons
    ]


def _cost(system: AnySystem, summary: Summary) -> tuple[str, ...]:
    """The cells of `COST_COLUMNS`."""
    peak, parameters = summary.memory[system.id], system.describe().parameters
    return (
        number(summary.speed[system.id], 1),
        "n/a" if peak is None else f"{peak / 1e6:.0f}",
        "unknown" if parameters is None else number(parameters / 1e6, 2) if parameters else "none",
    )


def _strip(metric: str, rows: Sequence[Row], summary: Summary, titles: Mapping[str, str]) -> Drawing | None:
    values = {
        system: {
            row.clip: value for row in rows if row.system == system and (value := row.metrics.get(metric)) is not None
        }
        for system in summary.systems
    }
    means = {system: summary.means[system][metric] for system in summary.systems}
    unit = f" ({METRICS[metric].unit})" if METRICS[metric].unit else ""
    return strip_plot(f"{metric}{unit}: {METRICS[metric].about}", values, means, titles)


def _against_speed(metric: str, summary: Summary, titles: Mapping[str, str]) -> Drawing | None:
    points = {
        system: (speed, mean.mean)
        for system in summary.systems
        if (speed := summary.speed[system]) and (mean := summary.means[system][metric])
    }
    label = f"{metric}, {METRICS[metric].better} is better"
    return scatter(f"{metric} against speed", points, titles, "times real time on this machine", label)


def _extremes(
    rows: Sequence[Row], summary: Summary, sources: Mapping[str, Path], out: Path
) -> dict[str, list[dict[str, object]]]:
    """{system: cards of the clip it did best on and the one it did worst on, to look at and to hear}."""
    metric = SPREAD if SPREAD in summary.metrics else summary.metrics[0]
    extremes = {}
    for system in summary.systems:
        own = [row for row in rows if row.system == system]
        known = [(row.clip, value) for row in own if (value := row.metrics.get(metric)) is not None]
        if not known:
            continue
        ordered = sorted(known, key=lambda pair: abs(pair[1]), reverse=METRICS[metric].better == "higher")
        chosen = {"best": ordered[0], "worst": ordered[-1]} if len(ordered) > 1 else {"only": ordered[0]}
        extremes[system] = [
            {"clip": clip, "title": f"{word}: {clip}, {metric} {value:.3f}"}
            | _card(sources[clip], output_path(out, system, clip))
            for word, (clip, value) in chosen.items()
        ]
    return extremes


def _card(source: Path, output: Path) -> dict[str, object]:
    """Pictures and loudness-matched sound of a recording and its output, or the problem with either."""
    try:
        reference, estimate = (_beginning(read_recording(path, CLIP_LIMITS)) for path in (source, output))
    except AudioError as error:  # an output may be silent
        return {"problem": str(error), "pictures": {}, "players": {}}
    played = {"recording": reference, "output": estimate}
    levels = match_levels({name: level_of(x.native) for name, x in played.items()})
    wanted, found, rate = at_common_rate(reference, estimate)
    own = estimate.native
    above = "; nothing above is in it" if own.rate < reference.native.rate else ""
    pictures = {
        f"output, 0 to {own.rate / 2000:.0f} kHz{above}": level_png(level(own.samples, own.rate)),
        "output − recording, ±30 dB": difference_png(difference(wanted, found, rate)),
    }
    return {
        "problem": "",
        "pictures": pictures,
        "players": {name: _mp3(x, levels[name].gain) for name, x in played.items()},
    }


def _beginning(recording: Recording) -> Recording:
    """As much of it as is played."""
    native = recording.native
    part = Waveform(native.samples[: round(MAX_PLAYED_SECONDS * native.rate)], native.rate)
    samples = recording.samples[: round(MAX_PLAYED_SECONDS * SAMPLE_RATE)]
    return replace(recording, samples=samples, own=own_of(part))


def _mp3(waveform: AtAnyRate, gain: float) -> bytes:
    """Loudness-matched, small, and playable everywhere; the wav files beside the report are exact."""
    import soundfile

    rate = waveform.native.rate if waveform.native.rate in MP3_RATES else SAMPLE_RATE
    buffer = io.BytesIO()
    loud = np.clip(waveform.at(rate) * 10 ** (gain / 20), -1, 1)
    soundfile.write(buffer, loud, rate, format="MP3", subtype="MPEG_LAYER_III")
    return buffer.getvalue()
