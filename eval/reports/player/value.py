"""The value of the synchronized player, as assets/player/ draws it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from eval.reports import spectrogram
from vocoders.audio import SAMPLE_RATE


@dataclass(frozen=True)
class Picture:
    """Address of a spectrogram or map of differences, and Hz at its upper edge."""

    url: str
    frequency_max: float


@dataclass(frozen=True)
class Track:
    """One row of the player. URLs are relative; `state` is waiting, running, ready or failed."""

    id: str
    title: str
    about: str
    state: str
    progress: float | None = None
    error: str | None = None
    audio: str | None = None
    image: Picture | None = None
    difference: Picture | None = None
    gain: float = 0.0  # dB
    download: str | None = None
    of: str | None = None  # the id of the track that it accompanies: of a residual, the output's


def player_value(
    session: str,
    seconds: float,
    tracks: list[Track],
    state: str,
    text: str,
    has_reference: bool = True,
    rate: int = SAMPLE_RATE,
) -> dict:
    """The value that assets/player/ draws. `state` is running, done or cancelled; `text` says what is happening.

    has_reference: whether the first track is what the others are compared with. rate: Hz, the highest of all tracks.
    """
    systems = tracks[1:] if has_reference else tracks
    finished = sum(track.state in ("ready", "failed") for track in systems)
    return {
        "session": session,
        "sample_rate": rate,
        "seconds": seconds,
        "status": {"state": state, "text": text, "done": finished, "total": len(systems)},
        "spectrogram": {
            "db_min": spectrogram.MIN_DB,
            "db_max": spectrogram.MAX_DB,
            "difference_db": spectrogram.MAX_DIFFERENCE_DB,
            "frequency_max": rate / 2,
        },
        "colours": {
            "spectrogram": spectrogram.colour_stops(spectrogram.LEVEL_MAP, 16),
            "difference": spectrogram.colour_stops(spectrogram.DIFFERENCE_MAP, 17),
        },
        "tracks": [_track(track, "system" if track in systems else "reference") for track in tracks],
    }


def _track(track: Track, role: str) -> dict:
    return {
        "id": track.id,
        "title": track.title,
        "about": track.about,
        "role": role,
        "state": track.state,
        "error": track.error,
        "progress": track.progress,
        "audio": {"url": track.audio} if track.audio else None,
        "image": asdict(track.image) if track.image else None,
        "difference": asdict(track.difference) if track.difference else None,
        "gain_db": round(track.gain, 2),
        "download": track.download,
        "of": track.of,
    }
