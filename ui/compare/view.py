"""A comparison as the page shows it: the player's tracks, and what the tables are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from eval.compare.recording import ComparedSystem, Output
from eval.metrics.loudness import Level
from eval.reports.player.value import Track, player_value
from ui.compare.files import ComparisonFiles, PartFiles, TrackFiles
from ui.compare.state import REFERENCE, ComparisonState, residual_id


@dataclass(frozen=True)
class View:
    """After something happened. clipped: {track: samples}; `archive` is the zip's URL once everything is there."""

    player: dict
    outputs: tuple[Output, ...]
    levels: dict[str, Level]
    clipped: dict[str, int]
    archive: str | None = None
    has_reference: bool = True
    stem: str = "recording"  # of the names of downloads


def view_of(state: ComparisonState, files: ComparisonFiles, status: str, text: str, archive: str | None = None) -> View:
    """status: "running", "cancelled" or "done"; text: of the status line."""
    levels, has_reference = state.levels, state.recording is not None
    tracks = [_track(track, system, state, files.tracks.get(track.id), levels) for track, system in _waiting(state)]
    if status == "running":
        tracks = [_with_part(track, files.parts.get(track.id), levels) for track in tracks]
    if status == "cancelled":
        tracks = [replace(t, state="stopped") if t.state in ("waiting", "running") else t for t in tracks]
    player = player_value(
        files.folder.token, state.source.seconds, tracks, status, text, has_reference=has_reference, rate=state.rate
    )
    clipped = {track_id: written.clipped for track_id, written in files.tracks.items()}
    return View(player, state.outputs, levels, clipped, archive, has_reference, files.stem)


def _waiting(state: ComparisonState) -> Iterator[tuple[Track, ComparedSystem | None]]:
    """Every track before anything is there, with its system: the recording has none."""
    if state.recording:
        yield Track(REFERENCE, "Recording", state.recording.history, "waiting"), None
    for system in state.systems:
        yield Track(system.id, system.title, system.about, "waiting"), system
        if state.residuals:
            about = (
                f"{system.title} − recording",
                "The residual: what is left of the output without the recording.",
                "waiting",
            )
            yield Track(residual_id(system), *about, of=system.id), system


def _track(
    track: Track,
    system: ComparedSystem | None,
    state: ComparisonState,
    written: TrackFiles | None,
    levels: Mapping[str, Level],
) -> Track:
    if system is not None and track.id == system.id:  # not the residual's
        about = next((output.about for output in state.outputs if output.system.id == system.id), track.about)
        track = replace(track, about=about, progress=state.progress.get(system.id))
    if written is not None:
        level = levels[system.id if system else REFERENCE]
        return _with_files(replace(track, state="ready", gain=level.gain), written)
    if system and (reason := state.failures.get(system.id)) is not None:
        return replace(track, state="failed", error=reason)
    return replace(track, state="running") if track.progress is not None else track


def _with_part(track: Track, part: PartFiles | None, levels: Mapping[str, Level]) -> Track:
    """The track of an output that is under way, with its beginning."""
    if part is None or track.state != "running":
        return track
    gain = (levels[REFERENCE].gain if REFERENCE in levels else 0.0) + part.gain
    return replace(track, audio=part.audio, image=part.image, gain=gain)


def _with_files(track: Track, written: TrackFiles) -> Track:
    if written.power is not None:
        about = (
            "The residual: what is left of the output without the recording, "
            f"{written.power:+.1f} dB against it, at the output’s gain."
        ).replace("-", "−")
        track = replace(track, about=about)
    return replace(
        track, audio=written.audio, image=written.image, difference=written.difference, download=written.download
    )
