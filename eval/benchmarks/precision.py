"""What bfloat16 changes: every network in float32 and in bfloat16 over the same recordings, `python -m eval precision`.

A network is *close* in bfloat16 where no metric of it moves by more than a tenth of the usual difference between two systems: then
it takes its place among them as in float32.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.durable import write_text_durably
from eval.benchmarks.snr import snr
from eval.compare.measurement import as_it_lies, measure
from eval.metrics.metric import Metric
from eval.metrics.spectral import m_stft
from eval.reports.bundle import finite
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import Recording
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.hifigan.engine import LoadNetwork, in_precision, precision_of
from vocoders.hifigan.openvino_generator import digest, openvino_core
from vocoders.hifigan.precision import BFLOAT16
from vocoders.systems import System

MAX_SHARE = 0.1  # of the usual difference between systems, that a metric of a close network moves by
MIN_SYSTEMS = 3
OPINION = "Distill-MOS"
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Clip:
    """One system on one recording. exact, fast: {metric: value} in float32 and in bfloat16; the others compare the two outputs."""

    exact: Values
    fast: Values | None = None  # None: this system does not compute in bfloat16 here
    snr_db: float = math.nan  # of the output in float32 to the difference
    m_stft: float = math.nan


@dataclass(frozen=True)
class Difference:
    """How the output of a network in bfloat16 differs from that in float32, means over clips. shares: {metric: how far it moves, as
    a share of the usual difference between systems}."""

    system: str
    clips: int
    snr_db: float
    m_stft: float
    distill_mos: float | None  # change of the mean; None where it is not installed
    shares: dict[str, float]
    processor: str

    @property
    def worst(self) -> str:
        """The metric that moves most."""
        return max(self.shares, key=self.shares.__getitem__)

    @property
    def close(self) -> bool:
        """Whether bfloat16 may stand for float32."""
        return self.shares[self.worst] <= MAX_SHARE

    def as_json(self) -> dict[str, Any]:
        """As in `vocoders.hifigan.precision.MEASURED`."""
        content = asdict(self) | {"worst": self.worst, "close": self.close}
        del content["system"]
        shares = {name: round(share, 4) for name, share in self.shares.items()}
        return {k: finite(v) if isinstance(v, float) else v for k, v in content.items()} | {"shares": shares}


def measure_clip(recording: Recording, systems: Sequence[System], metrics: Sequence[Metric]) -> dict[str, Clip]:
    """{system: how it does in either precision on this recording}. The inputs of the networks are computed once."""
    analysis = Analysis(recording.samples, recording.own)

    def measured(samples: np.ndarray) -> Values:
        return measure(as_it_lies(recording.samples, samples), metrics).values

    found = {}
    for system in systems:
        fast = in_precision(system, "fast")
        exact_samples = synthesize(system, analysis)
        if precision_of(fast) != BFLOAT16:
            found[system.id] = Clip(measured(exact_samples))
            continue
        samples = synthesize(fast, analysis)
        apart = snr(exact_samples, samples), m_stft(exact_samples, samples)
        found[system.id] = Clip(measured(exact_samples), measured(samples), *apart)
    return found


def usual_differences(clips: Sequence[Mapping[str, Clip]], metrics: Sequence[str]) -> dict[str, float]:
    """{metric: median over all pairs of systems of the difference of their means in float32}; without metrics in which most do not
    differ."""
    systems, found = list(clips[0]), {}
    for metric in metrics:
        means = [
            mean for system in systems if (mean := _mean(clip[system].exact.get(metric) for clip in clips)) is not None
        ]
        apart = [abs(a - b) for a, b in itertools.combinations(means, 2)]
        if apart and (usual := statistics.median(apart)) > 0:
            found[metric] = usual
    return found


def differences(clips: Sequence[Mapping[str, Clip]], metrics: Sequence[str]) -> list[Difference]:
    """Of every system that computes in bfloat16 here. A metric moves by the mean of its absolute change, clip by clip, so that
    changes up and down do not cancel."""
    usual = usual_differences(clips, metrics)
    found = []
    for system in clips[0]:
        own = [clip[system] for clip in clips if clip[system].fast is not None]
        if not own:
            continue
        moved = {name: _mean(_change(clip, name, abs) for clip in own) for name in usual}
        shares = {name: change / usual[name] for name, change in moved.items() if change is not None}
        opinion = _mean(_change(clip, OPINION) for clip in own)
        snr_db, apart = (statistics.fmean(values) for values in zip(*((clip.snr_db, clip.m_stft) for clip in own)))
        found.append(Difference(system, len(own), snr_db, apart, opinion, shares, processor()))
    return found


def _change(clip: Clip, metric: str, of: Callable[[float], float] = float) -> float | None:
    exact, fast = clip.exact.get(metric), (clip.fast or {}).get(metric)
    return None if exact is None or fast is None else of(fast - exact)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def processor() -> str:
    """Its name, as OpenVINO gives it."""
    return openvino_core().get_property("CPU", "FULL_DEVICE_NAME").strip()


def as_text(found: Sequence[Difference]) -> str:
    """A table in Markdown."""
    lines = [
        "| system | SNR (dB) | M-STFT between the two | Distill-MOS, change | metric that moves most | share of the usual difference between systems | close |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        opinion = "n/a" if one.distill_mos is None else f"{one.distill_mos:+.3f}"
        lines.append(
            f"| `{one.system}` | {one.snr_db:.1f} | {one.m_stft:.3f} | {opinion} | {one.worst} | {one.shares[one.worst]:.1%} "
            f"| {'yes' if one.close else 'no'} |"
        )
    return "\n".join(lines)


def write_measured(path: Path, found: Sequence[Difference], systems: Sequence[System]) -> None:
    """Adds the differences to a file such as `vocoders.hifigan.precision.MEASURED`: {digest of a network: {"close", "systems": {system:
    difference}}}. A network is close where all systems that use it are, a refined one, too: they share its output."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    by_id = {system.id: system for system in systems}
    new: dict[Callable[[], Checkpoint], dict[str, Difference]] = {}
    for one in found:
        load = by_id[one.system].load
        if isinstance(load, LoadNetwork):
            new.setdefault(load.read, {})[one.system] = one
    for read, users in new.items():
        content = {key: value for key, value in content.items() if not users.keys() & value["systems"].keys()}
        close = all(one.close for one in users.values())
        content[digest(read())] = {"close": close, "systems": {name: one.as_json() for name, one in users.items()}}
    write_text_durably(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
