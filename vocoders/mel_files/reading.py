"""How `synth` reads a mel file: what is not said is diagnosed and printed, a doubtful mel is refused."""

from __future__ import annotations

from pathlib import Path

from common.command import note
from vocoders.analysis import Analysis
from vocoders.mel_files.diagnosis import MIN_SURE_PROBABILITY, Diagnosis, diagnose_file
from vocoders.mel_files.file import find_file
from vocoders.mel_files.format import MelFormat
from vocoders.mel_files.options import Declared
from vocoders.systems import System

_NATURAL_HW2 = MelFormat("hw2", "power", "e")
_MIN_BELIEVED_PROBABILITY = 0.2  # probability from which a bare --log is believed


def analysis_of_mel(given: Path, declared: Declared, system: System, is_bare_log: bool = False) -> Analysis:
    """FILE or FILE:KEY -> what `system` starts from; one line on stderr says what the mel was taken for.

    is_bare_log: what is declared, the natural logarithm of hw2 power, is refused where the numbers cannot be that.
    Errors: ValueError naming the file.
    """
    path, key = find_file(given)
    try:
        if is_bare_log:
            _require_natural_hw2(diagnose_file(path, key)[1])
        features, diagnosis = diagnose_file(path, key, declared)
        if features is None:
            raise ValueError(diagnosis.sentence)
    except (ValueError, OSError) as error:
        raise ValueError(f"{given}: {error}") from error
    note(f"{given}: {_taken_for(diagnosis, declared)}")
    if (features.kind == "hw2 mel") != (system.mel == "hw2"):
        note(f"{given}: {_bridged(system)}")
    return Analysis.of_mel(features)


def output_name(given: Path) -> str:
    """FILE -> its name without suffix, FILE:KEY -> NAME-KEY."""
    path, key = find_file(given)
    return path.stem if key is None else f"{path.stem}-{key.replace('/', '-')}"


def _require_natural_hw2(diagnosis: Diagnosis) -> None:
    if not diagnosis.candidates:
        return
    best = diagnosis.candidates[0]
    if best.format != _NATURAL_HW2 and diagnosis.confidence(_NATURAL_HW2) < _MIN_BELIEVED_PROBABILITY:
        options = f"; {best.format.options}" if best.format else ""
        raise ValueError(
            f"--log alone means the natural logarithm of hw2 power, which this is not: it looks like {best.name} "
            f"({100 * best.confidence:.0f} %{options})"
        )


def _taken_for(diagnosis: Diagnosis, declared: Declared) -> str:
    if not declared.is_complete:
        return diagnosis.sentence
    if (
        diagnosis.candidates
        and (best := diagnosis.candidates[0]).format != diagnosis.format
        and best.confidence >= MIN_SURE_PROBABILITY
    ):
        return f"taken for {diagnosis.format}, as declared, though it looks like {best.name} ({100 * best.confidence:.0f} %)"
    return f"taken for {diagnosis.format}, as declared"


def _bridged(system: System) -> str:
    if system.mel == "hw2":
        return f"{system.id} starts from the hw2 mel, which is made of HiFi-GAN's through STFT magnitudes"
    return (
        f"{system.id} starts from HiFi-GAN's own mel, which is made of this one through STFT magnitudes, as in "
        "hifigan-original-bridged"
    )
