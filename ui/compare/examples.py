"""Recordings to try without having one: two rendered by this project, and librosa's, fetched when asked for."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from common.paths import ASSETS

EXAMPLES_FOLDER = ASSETS / "examples"


class ExampleUnreachable(RuntimeError):
    """An example that had to be fetched and could not be."""


@dataclass(frozen=True)
class Example:
    """A recording that the page offers: a file of this project, or one that librosa downloads."""

    title: str
    path: Path | None = None  # shipped with the project
    librosa_key: str = ""  # or a name of librosa.util.list_examples

    def fetch(self) -> Path:
        """Errors: `ExampleUnreachable` with a sentence."""
        if self.path is not None:
            return self.path
        import librosa

        try:
            found = librosa.example(self.librosa_key)
        except Exception as error:  # pooch raises what its HTTP library raises
            raise ExampleUnreachable(
                f"“{self.title}” is one of librosa's recordings and has to be downloaded once; "
                "its server cannot be reached from here."
            ) from error
        # librosa keeps it where Gradio serves nothing from
        uploads = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
        uploads.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(found, tempfile.mkdtemp(dir=uploads)))


SHIPPED = (
    Example("Sung phrase, low voice (synthetic)", EXAMPLES_FOLDER / "sung_phrase_low.flac"),
    Example("Sung phrase, high voice (synthetic)", EXAMPLES_FOLDER / "sung_phrase_high.flac"),
)
FROM_LIBROSA = (
    Example("Read speech (LibriSpeech)", librosa_key="libri1"),
    Example("Trumpet loop", librosa_key="trumpet"),
    Example("Robin", librosa_key="robin"),
)
