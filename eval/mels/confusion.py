"""How often the diagnosis of mels is right, doubtful and wrong: every recording of a folder as every kind of mel.

The bands of a recipe with another normalization of their areas cannot be told from numbers (`vocoders.mel_files.classifier`); they have
a line of their own and are in no sum.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.mels.variants import variants
from vocoders.mel_files.diagnosis import MIN_SURE_PROBABILITY, diagnose, kind_of
from vocoders.recordings.reader import Limits, read_recording

UNTOLD = "other: bands"
CLIP_LIMITS = Limits(max_seconds=600, max_megabytes=1000)


@dataclass(frozen=True)
class Outcome:
    """right: the format it is, or for a kind that cannot be used: refused with confidence. taken_for: the kind, where wrong."""

    right: bool
    taken_for: str | None

    @property
    def doubtful(self) -> bool:
        """Whether the diagnosis names no format for a mel that has one, which is safe but no answer."""
        return not self.right and self.taken_for is None


def outcome(kind: str, values: np.ndarray) -> Outcome:
    """Of one mel of a known kind, with nothing declared."""
    diagnosis = diagnose(values)
    if diagnosis.format is None:
        best = diagnosis.candidates[0] if diagnosis.candidates else None
        refused = best is not None and best.format is None and best.confidence >= MIN_SURE_PROBABILITY
        return Outcome(kind.startswith("other") and refused, None)
    found = kind_of(diagnosis.format)
    return Outcome(found == kind, None if found == kind else found)


def try_folder(
    clips: Mapping[Path, Path], seed: int = 1, on_clip: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, list[Outcome]]:
    """name -> file; the outcomes by kind. Deterministic."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for done, path in enumerate(clips.values(), 1):
        rng = np.random.default_rng([seed, done])
        for kind, values in variants(read_recording(path, CLIP_LIMITS, str(path)).samples, rng):
            found[kind].append(outcome(kind, values))
        on_clip(done, len(clips))
    return dict(found)


def as_text(outcomes: Mapping[str, list[Outcome]]) -> str:
    """The confusion table: one line a kind, in percent, and the sums of what can be used, of the rest and of both."""
    usable = {kind: outcomes[kind] for kind in sorted(outcomes) if not kind.startswith("other")}
    foreign = {kind: outcomes[kind] for kind in sorted(outcomes) if kind not in usable and kind != UNTOLD}
    sums = {"usable": _all(usable), "other": _all(foreign), "all": _all(usable | foreign)}
    untold = {f"not counted, {UNTOLD}": outcomes.get(UNTOLD, [])}
    head = f"{'kind':30} {'mels':>6} {'right %':>8} {'doubtful %':>11} {'wrong %':>8}  taken for"
    blocks = ([_row(name, some) for name, some in block.items() if some] for block in (usable, foreign, sums, untold))
    return "\n".join([head, *("\n".join([*rows, ""]) for rows in blocks if rows)]).rstrip()


def _all(outcomes: Mapping[str, list[Outcome]]) -> list[Outcome]:
    return [one for some in outcomes.values() for one in some]


def _row(name: str, outcomes: list[Outcome]) -> str:
    count = len(outcomes)
    right, doubtful = sum(one.right for one in outcomes), sum(one.doubtful for one in outcomes)
    wrong = Counter(one.taken_for for one in outcomes if one.taken_for)
    taken = ", ".join(f"{kind} ({times})" for kind, times in wrong.most_common(3))
    shares = [100 * part / count for part in (right, doubtful, wrong.total())]
    return f"{name:30} {count:6} {shares[0]:8.2f} {shares[1]:11.2f} {shares[2]:8.2f}  {taken}".rstrip()
