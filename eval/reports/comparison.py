"""report.html of a comparison: one page with everything in it, for a person to read and listen to."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from common.durable import write_text_durably
from eval.compare.clip_task import LIMITS, output_path
from eval.compare.intervals import FEWEST, Estimate
from eval.compare.measurement import Row
from eval.compare.output_folder import AnySystem
from eval.compare.summary import Summary
from eval.metrics.loudness import loudness, match_levels, true_peak
from eval.metrics.registry import METRICS
from eval.metrics.set_distances import SET_DISTANCES
from eval.reports.bundle import versions
from eval.reports.charts import scatter, strip_plot
from eval.reports.spectrogram import difference, difference_png, level, level_png
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings.reader import AudioError, read_recording

LONGEST = 12.0  # seconds of a clip that are played in the report
SPREAD = "M-STFT"  # what the best and the worst clip are chosen by, where it was measured


def write_report(
    path: Path,
    rows: Sequence[Row],
    summary: Summary,
    systems: Sequence[AnySystem],
    sources: Mapping[str, Path],
    out: Path,
) -> None:
    """sources: {clip: the recording}; out: where `eval.compare.clip_task` left the takes."""
    titles = {system.id: system.title for system in systems}
    good = [row for row in rows if not row.error]
    clips = list(dict.fromkeys(row.clip for row in good))
    minutes = sum({row.clip: row.seconds for row in good}.values()) / 60
    parts = [
        f"<h1>{len(summary.systems)} systems, {len(clips)} clips, {minutes:.1f} minutes</h1>",
        _lead(summary, titles),
        _table(summary, systems),
        _set_table(summary, titles),
        "<h2>Every clip</h2>",
        *(_strip(metric, rows, summary, titles) for metric in summary.metrics),
        _quality_against_speed(summary, titles),
        "<h2>Best and worst clips</h2>" + _extremes(good, summary, titles, sources, out),
        _problems(rows),
        _noticed(rows),
        _noticed_about_outputs(rows),
        _about(systems, summary),
    ]
    body = "".join(parts)
    write_text_durably(
        path,
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Vocoder comparison</title><style>{style()}</style><main>{body}</main></html>",
    )


def style() -> str:
    """The stylesheet of every report."""
    here = Path(__file__).parent
    return "".join((here / name).read_text(encoding="utf-8") for name in ("report.css", "charts.css"))


def _lead(summary: Summary, titles: Mapping[str, str]) -> str:
    intervals = (
        "Brackets are 95 % intervals of the mean, by bootstrap over clips."
        if max(summary.n.values()) >= FEWEST
        else f"With fewer than {FEWEST} clips there are no intervals: these are points, not conclusions."
    )
    return (
        f"<p>Second lines are the paired difference from <b>{html.escape(titles[summary.baseline])}</b>, clip by clip; bold where its "
        f"interval excludes zero. Every mean is over the n clips for which all systems have that metric: "
        f"failing on a hard clip betters none. {intervals} Metrics under <i>spectral fidelity</i> compare magnitudes, which is what Griffin-Lim "
        "inverts: they favour it and are no verdict on how a voice sounds.</p>"
    )


def _table(summary: Summary, systems: Sequence[AnySystem]) -> str:
    titles = {system.id: system.title for system in systems}
    millions = {system.id: _millions(system.describe().parameters) for system in systems}
    groups: dict[str, list[str]] = {}
    for name in summary.metrics:
        groups.setdefault(METRICS[name].group, []).append(name)
    ordered = [name for names in groups.values() for name in names]
    above = "".join(f'<th colspan="{len(names)}">{html.escape(group)}</th>' for group, names in groups.items())
    head = "".join(
        f'<th title="{html.escape(METRICS[name].about)}">{_heading(name)}<small>n = {summary.n[name]} of {summary.clips}</small></th>'
        for name in ordered
    )
    body = "".join(
        f'<tr><th scope="row">{html.escape(titles[system])}</th>'
        + "".join(_cell(summary.means[system][name], summary.against.get(system, {}).get(name)) for name in ordered)
        + f"<td>{_number(summary.speed[system])}</td><td>{_number(summary.memory[system], 1e-6, 0)}</td><td>{millions[system]}</td></tr>"
        for system in summary.systems
    )
    return (
        f'<div class="scroll"><table><thead><tr><th></th>{above}<th colspan="3">cost</th></tr><tr><th></th>{head}<th>× real time</th>'
        '<th title="The most the whole process held while it computed">peak memory<small>MB</small></th><th>parameters<small>million</small></th></tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _heading(name: str) -> str:
    metric = METRICS[name]
    arrow = {"lower": "↓", "higher": "↑"}.get(metric.better, "→ 0")
    unit = f"<small>{html.escape(metric.unit)}</small>" if metric.unit else ""
    return f"{html.escape(name)} {arrow}{unit}"


def _cell(mean: Estimate | None, difference: Estimate | None) -> str:
    if mean is None:
        return "<td>n/a</td>"
    second = ""
    if difference is not None:
        text = f"{difference.mean:+.3f}"
        if difference.low is not None:
            text += f"<br>[{difference.low:+.3f}, {difference.high:+.3f}]"
        second = f"<small>{f'<b>{text}</b>' if difference.excludes_zero else text}</small>"
    interval = "" if mean.low is None else f' title="95 % interval {mean.low:.3f} to {mean.high:.3f}, n = {mean.n}"'
    return f"<td{interval}>{mean.mean:.3f}{second}</td>".replace("-", "−")


def _millions(parameters: int | None) -> str:
    if parameters is None:
        return "unknown"
    return f"{parameters / 1e6:.2f}" if parameters else "none"


def _number(value: float | None, scale: float = 1, digits: int = 1) -> str:
    return "n/a" if value is None else f"{value * scale:.{digits}f}"


def _set_table(summary: Summary, titles: Mapping[str, str]) -> str:
    head = "".join(
        f'<th title="{html.escape(distance.about)}">{html.escape(name)} ↓'
        f"<small>n = {summary.embeddings[distance.embedding]}</small></th>"
        for name, distance in SET_DISTANCES.items()
        if name not in summary.reasons
    )
    missing = "".join(
        f'<p class="note">{html.escape(name)} was not computed: {html.escape(reason)}.</p>'
        for name, reason in summary.reasons.items()
    )
    if not head:
        return missing
    rows = "".join(
        f'<tr><th scope="row">{html.escape(titles[system])}</th>'
        + "".join(
            f"<td>{'n/a' if value is None else f'{value:.2f}'}</td>"
            for name, value in summary.sets[system].items()
            if name not in summary.reasons
        )
        + "</tr>"
        for system in summary.systems
    )
    return (
        "<h2>Whole sets</h2><p>How differently all takes of a system sound from all recordings, n embeddings of each, from the same "
        "clips. FAD shrinks as n grows: compare it only within this table.</p>"
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table></div>{missing}'
    )


def _strip(metric: str, rows: Sequence[Row], summary: Summary, titles: Mapping[str, str]) -> str:
    values = {
        system: {
            row.clip: row.metrics[metric]
            for row in rows
            if row.system == system and row.metrics.get(metric) is not None
        }
        for system in summary.systems
    }
    means = {system: summary.means[system][metric] for system in summary.systems}
    unit = f" ({METRICS[metric].unit})" if METRICS[metric].unit else ""
    return strip_plot(f"{metric}{unit}: {METRICS[metric].about}", values, means, titles)


def _quality_against_speed(summary: Summary, titles: Mapping[str, str]) -> str:
    wanted = [name for name in ("M-STFT", "F0 error", "Distill-MOS") if name in summary.metrics]
    charts = []
    for name in wanted:
        points = {
            system: (summary.speed[system], summary.means[system][name].mean)
            for system in summary.systems
            if summary.speed[system] and summary.means[system][name]
        }
        label = f"{name}, {METRICS[name].better} is better"
        charts.append(scatter(f"{name} against speed", points, titles, "times real time on this machine", label))
    return "<h2>Quality against speed</h2>" + "".join(charts) if charts else ""


def _extremes(
    rows: Sequence[Row], summary: Summary, titles: Mapping[str, str], sources: Mapping[str, Path], out: Path
) -> str:
    """Per system the clip it did best on and the one it did worst on, to look at and to hear."""
    metric = SPREAD if SPREAD in summary.metrics else summary.metrics[0]
    blocks = []
    for system in summary.systems:
        known = [row for row in rows if row.system == system and row.metrics.get(metric) is not None]
        if not known:
            continue
        ordered = sorted(known, key=lambda row: abs(row.metrics[metric]), reverse=METRICS[metric].better == "higher")
        chosen = {"best": ordered[0], "worst": ordered[-1]} if len(ordered) > 1 else {"only": ordered[0]}
        cards = "".join(
            _card(
                f"{word}: {row.clip}, {metric} {row.metrics[metric]:.3f}",
                sources[row.clip],
                output_path(out, system, row.clip),
            )
            for word, row in chosen.items()
        )
        blocks.append(f"<h3>{html.escape(titles[system])}</h3><div class='cards'>{cards}</div>")
    return "".join(blocks)


def _card(title: str, source: Path, take: Path) -> str:
    limit = round(LONGEST * SAMPLE_RATE)
    try:
        reference, estimate = (read_recording(path, LIMITS).samples[:limit] for path in (source, take))
    except AudioError as error:  # a take may be silent
        return f'<div class="card"><p>{html.escape(title)}</p><p>Not drawn: {html.escape(str(error))}</p></div>'
    levels = match_levels({n: (loudness(x), true_peak(x)) for n, x in (("a", reference), ("b", estimate))})
    players = "".join(
        f'<label>{name}<audio controls preload="none" src="data:audio/mpeg;base64,{_mp3(x, levels[key].gain)}"></audio></label>'
        for name, x, key in (("recording", reference, "a"), ("take", estimate, "b"))
    )
    pictures = "".join(
        f'<figure><img alt="{alt}" src="data:image/png;base64,{base64.b64encode(png).decode()}"><figcaption>{alt}</figcaption></figure>'
        for alt, png in (
            ("take, 0 to 11 kHz", level_png(level(estimate))),
            ("take − recording, ±30 dB", difference_png(difference(reference, estimate))),
        )
    )
    return f'<div class="card"><p>{html.escape(title)}</p>{pictures}{players}</div>'


def _mp3(samples: np.ndarray, gain: float) -> str:
    """Loudness-matched, small, and playable everywhere; the wav files beside the report are exact."""
    import soundfile

    buffer = io.BytesIO()
    loud = np.clip(samples * 10 ** (gain / 20), -1, 1)
    soundfile.write(buffer, loud, SAMPLE_RATE, format="MP3", subtype="MPEG_LAYER_III")
    return base64.b64encode(buffer.getvalue()).decode()


def _problems(rows: Sequence[Row]) -> str:
    failed = [row for row in rows if row.error]
    if not failed:
        return ""
    items = "".join(f"<li>{html.escape(f'{row.clip}, {row.system}: {row.error}')}</li>" for row in failed)
    return f"<h2>What failed</h2><ul>{items}</ul>"


def _noticed(rows: Sequence[Row]) -> str:
    """Clips of which something was not as one would expect; the whole history of each is in results.json."""
    notices = {row.clip: "; ".join(row.notices) for row in rows if row.notices}
    items = "".join(f"<li>{html.escape(f'{clip}: {found}')}</li>" for clip, found in notices.items())
    return f"<h2>What was noticed about the recordings</h2><ul>{items}</ul>" if items else ""


def _noticed_about_outputs(rows: Sequence[Row]) -> str:
    """Of files that were made elsewhere: delay, polarity, level, clipping, rate, coding."""
    notes = {f"{row.clip}, {row.system}": "; ".join(row.notes) for row in rows if row.notes}
    items = "".join(f"<li>{html.escape(f'{which}: {found}')}</li>" for which, found in notes.items())
    return f"<h2>What was noticed about the outputs</h2><ul>{items}</ul>" if items else ""


def _about(systems: Sequence[AnySystem], summary: Summary) -> str:
    lines = "".join(
        f"<li><b>{html.escape(s.title)}</b> ({html.escape(s.id)}): {html.escape(s.about)} "
        f'<span class="note">Takes: SHA-256 {summary.fingerprints[s.id][:16]}…</span></li>'
        for s in systems
    )
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"<h2>What was compared</h2><ul>{lines}</ul><p class='note'>{html.escape(packages)}</p>"
