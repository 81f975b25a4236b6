"""A run as the page shows it: where it stands, its curves, the sounds that can be compared, and its downloads."""

from __future__ import annotations

import math
import wave
from collections.abc import Sequence

from eval.metrics.loudness import match_levels
from eval.reports.player.value import Picture, Track, player_value
from eval.reports.spectrogram import MAX_FREQUENCY_HZ
from eval.reports.svg import Drawing, Scale, line
from train.voice.progress import (
    BEFORE,
    DONE,
    EXPORTING,
    FAILED,
    FILES,
    GRIFFIN_LIM,
    GUIDE,
    ORIGINAL,
    PACKED,
    PREPARING,
    STOPPED,
    TRAINING,
    Progress,
    Sound,
    Validation,
    difference_of,
)
from ui.curve import Curve
from ui.markup import fill
from ui.training.run import DIED, RUNNING, WAITING, Run

PHASES = {
    PREPARING: "Reading the recordings",
    GUIDE: "Griffin-Lim of the recordings",
    TRAINING: "Training",
    EXPORTING: "Writing the result",
}
MARKS = (1, 2, 4, 7, 10, 15, 20, 30)  # minutes after which the sounds stay; of the others only the newest
WIDTH, HEIGHT = 1000, 150  # of a curve, SVG units; the width is stretched, the height is pixels
EDGE_PX = 6  # that a curve leaves free above and below
CURVES = {"total": "Loss", "validation M-STFT": "Validation M-STFT"}


def status_panel(run: Run, standing: str, ahead: int = 0, minutes: float = 0.0) -> str:
    """HTML: the phases and how far they are, or how it ended. ahead, minutes: of the queue, for a run that waits."""
    progress, request = run.progress, run.request
    names, begun = [*PHASES], progress is not None and progress.phase in PHASES
    phase = progress.phase if progress and begun else PREPARING
    return fill(
        "training/templates/status.html",
        standing=standing,
        sentence=_sentence(standing, progress, request.minutes, ahead, minutes),
        kind={DONE: "good", FAILED: "bad", DIED: "bad"}.get(standing, "info"),
        steps=[
            (PHASES[name], "over" if names.index(name) < names.index(phase) else "now" if name == phase else "later")
            for name in names
        ],
        share=progress.share if progress and begun else 0.0,
        left=_left(progress) if standing == RUNNING else "",
        progress=progress,
    )


def _sentence(standing: str, progress: Progress | None, wanted: float | None, ahead: int, minutes: float) -> str:
    of = f" of {wanted:g}" if wanted else ""
    spent = f"{progress.spent:.1f}{of} minutes" if progress else "no time"
    if standing == WAITING:
        runs = "1 training comes" if ahead == 1 else f"{ahead} trainings come"
        return (
            f"{runs} before yours: it begins in about {math.ceil(minutes)} minutes. You may close the page meanwhile."
        )
    if standing == DIED and progress is None:
        return "This training has not begun. Go on puts it into the queue again."
    if standing == DIED:
        return f"The process of this training has ended before its time, after {spent}. Go on takes it up where it was saved last."
    if standing == FAILED and progress:
        return f"{progress.error}"
    if standing == STOPPED and progress:
        kept = "What it has learned is below." if progress.best else "It had learned nothing yet."
        return f"Stopped after {spent}, {progress.step} steps. {kept}"
    if standing == DONE and progress and progress.best:
        best, first = progress.best, progress.validations[0]
        if first.step == 0 and best.step == 0:
            return f"Finished after {progress.step} steps. None was closer to the held-out passages than the model it began with, so that one is kept."
        change = f" from {first.m_stft:.3f} to {best.m_stft:.3f}" if first.step == 0 else f" {best.m_stft:.3f}"
        return f"Finished after {progress.step} steps in {progress.spent:.1f} minutes: M-STFT of the held-out passages{change}, lower is closer."
    return ""


def _left(progress: Progress | None) -> str:
    if progress is None or progress.phase != TRAINING:
        return ""
    if progress.minutes_left is None:
        return f"step {progress.step}"
    left = "less than a minute" if progress.minutes_left < 1 else f"about {math.ceil(progress.minutes_left)} minutes"
    return f"step {progress.step}, {left} left"


def curves_panel(progress: Progress | None) -> str:
    """HTML: the loss and the validation, over steps; empty before there are two points of one."""
    found = {title: progress.curves.get(name, []) for name, title in CURVES.items()} if progress else {}
    drawn = [_curve(title, points) for title, points in found.items() if len(points) > 1]
    return fill("training/templates/curves.html", curves=drawn) if drawn else ""


def _curve(title: str, points: Sequence[Sequence[float]]) -> dict[str, object]:
    steps, heights = zip(*points)
    low, high = min(heights), max(heights)
    across = Scale(min(steps), max(steps), 0, WIDTH)
    down = Scale(high, low if high > low else high - 1.0, EDGE_PX, HEIGHT - EDGE_PX)
    drawing = Drawing(WIDTH, HEIGHT, f"{title}, from {heights[0]:.3g} to {heights[-1]:.3g}", stretched=True)
    drawing.add("path", d=line((across(step), down(height)) for step, height in points))
    return {
        "title": title,
        "ends": f"{heights[0]:.3g} → {heights[-1]:.3g}",
        "curve": Curve(drawing, [(10, f"{high:.3g}"), (HEIGHT - 10, f"{low:.3g}")], boxed=True),
        "steps": (f"step {min(steps):,.0f}", f"{max(steps):,.0f}"),
    }


def shown_sounds(progress: Progress) -> list[Sound]:
    """The recording and what it is compared with, then at every mark the first after it, and the newest."""
    fixed = [sound for sound in progress.sounds if sound.id in (ORIGINAL, GRIFFIN_LIM, BEFORE)]
    made = [sound for sound in progress.sounds if sound not in fixed]
    if len(made) <= len(MARKS):
        return [*fixed, *made]
    kept: dict[int, Sound] = {}
    for sound in made:
        if (minute := math.floor(sound.minutes)) in MARKS:
            kept.setdefault(minute, sound)
    return [*fixed, *(sound for sound in made if sound in kept.values() or sound is made[-1])]


def player_of(run: Run, progress: Progress | None) -> dict | None:
    """The value of the player; None while there is nothing to hear."""
    sounds = shown_sounds(progress) if progress else []
    if not progress or not sounds:
        return None
    levels = match_levels({sound.id: sound.loudness for sound in sounds})
    found = {validation.step: validation for validation in progress.validations}
    trial = run.request.minutes is None
    tracks = [
        Track(
            sound.id,
            title := _title(sound, trial),
            _about(sound, found.get(sound.step), progress.best),
            "ready",
            audio=run.url(f"{sound.id}.wav"),
            image=Picture(run.url(f"{sound.id}.png"), MAX_FREQUENCY_HZ),
            difference=None if sound.id == ORIGINAL else Picture(run.url(difference_of(sound.id)), MAX_FREQUENCY_HZ),
            gain=levels[sound.id].gain,
            download=f"{title.lower().replace(' ', '-')}.wav",
        )
        for sound in sounds
    ]
    with wave.open(str(run.path / FILES / f"{sounds[0].id}.wav")) as file:
        seconds = file.getnframes() / file.getframerate()
    return player_value(run.token, seconds, tracks, "done", "Held-out passages, one after another")


def _title(sound: Sound, trial: bool) -> str:
    fixed = {ORIGINAL: "Recording", GRIFFIN_LIM: "Griffin-Lim", BEFORE: "Before training"}
    if sound.id in fixed:
        return fixed[sound.id]
    if trial:
        return f"After step {sound.step}"
    minutes = f"{sound.minutes:.0f}" if abs(sound.minutes - round(sound.minutes)) < 0.2 else f"{sound.minutes:.1f}"
    return f"After {minutes} min"


def _about(sound: Sound, found: Validation | None, best: Validation | None) -> str:
    if found is None:
        return "as it was given" if sound.id == ORIGINAL else "from the mel alone"
    return f"M-STFT {found.m_stft:.3f}{', the closest' if found == best else ''}"


def result_panel(run: Run) -> str:
    """HTML: the downloads; empty before there are any."""
    progress = run.progress
    if run.weights is None or progress is None:
        return ""
    return fill("training/templates/result.html", packed=run.url(PACKED), name=PACKED, adapts=progress.adapts)
