"""Best-worst scaling: counts, and the utilities of the maximum-difference model (Marley & Louviere 2005).

    P(best = b, worst = w | set) = exp(u_b - u_w) / sum over all ordered pairs i != j of the set of exp(u_i - u_j)

The log-likelihood is concave in the utilities, of which only differences are determined: they add up to zero. The variance of the
estimate is the sandwich of the model's information and the scores, clustered by raters and by clips like every mean here (Cameron,
Gelbach & Miller 2011).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.listening.analysis.estimates import (
    ALL_EQUAL,
    NO_VOTES,
    ONE_CLIP,
    TOO_FEW,
    ClusteredEstimate,
    clustered_interval,
    clustered_variances,
    p_value,
    t_quantile,
)
from eval.listening.analysis.ratings import PairedDifference, of_all_pairs
from eval.listening.analysis.votes import Extremes

RIDGE = 0.05  # weight of utilities' squares in the log-likelihood: keeps those of a system that always wins finite
MAX_STEPS = 100
TOLERANCE = 1e-9  # of the largest step


@dataclass(frozen=True)
class Utilities:
    """values: (systems,) adding up to zero. influence: (votes, systems), what each vote adds to them."""

    systems: tuple[str, ...]
    values: np.ndarray
    influence: np.ndarray
    raters: tuple[str, ...]
    items: tuple[str, ...]

    def of(self, system: str) -> ClusteredEstimate:
        """Against the mean of all systems; p of zero."""
        weights = np.full(len(self.systems), -1 / len(self.systems))
        weights[self.systems.index(system)] += 1
        return self._contrast(weights)

    def difference(self, first: str, second: str) -> ClusteredEstimate:
        """Utility of `first` minus that of `second`: half the natural logarithm of the odds with which a set's best and worst are
        these two in this order, rather than the other way round."""
        weights = np.zeros(len(self.systems))
        weights[self.systems.index(first)] += 1
        weights[self.systems.index(second)] -= 1
        return self._contrast(weights)

    def _contrast(self, weights: np.ndarray) -> ClusteredEstimate:
        influence = self.influence @ weights
        return _interval(float(self.values @ weights), influence, self.raters, self.items)


def _interval(
    value: float, influence: np.ndarray, raters: Sequence[Hashable], items: Sequence[Hashable]
) -> ClusteredEstimate:
    """As `clustered_interval`, of an estimate that is the sum of its votes' influences."""
    counts = {"raters": len(set(raters)), "items": len(set(items))}
    if counts["raters"] < 2:
        return ClusteredEstimate(value, len(influence), **counts, note=TOO_FEW)
    if np.allclose(influence, 0):
        return ClusteredEstimate(value, len(influence), **counts, note=ALL_EQUAL)
    variance, freedom = clustered_variances(influence, raters, items)
    error = float(np.sqrt(variance))
    reach = error * t_quantile(freedom)
    note = ONE_CLIP if counts["items"] == 1 else ""
    p = p_value(value / error, freedom)
    return ClusteredEstimate(
        value, len(influence), value - reach, value + reach, p=p, **counts, note=note, freedom=freedom
    )


def utilities(votes: Sequence[Extremes]) -> Utilities:
    """Maximum likelihood with a slight ridge, by Newton's method. Repeats have no vote. Errors: ValueError without votes."""
    counted = sorted((vote for vote in votes if not vote.repeat), key=lambda vote: (vote.rater, vote.item, vote.trial))
    if not counted:
        raise ValueError(NO_VOTES)
    systems = tuple(sorted({system for vote in counted for system in vote.systems}))
    place = {system: index for index, system in enumerate(systems)}
    members = np.zeros((len(counted), len(systems)), dtype=bool)
    chosen = np.zeros((len(counted), len(systems)))
    for number, vote in enumerate(counted):
        members[number, [place[system] for system in vote.systems]] = True
        best, worst = vote.meant
        chosen[number, place[best]] += 1
        chosen[number, place[worst]] -= 1
    values = np.zeros(len(systems))
    for _ in range(MAX_STEPS):
        expected, information = _moments(values, members)
        step = np.linalg.solve(
            information + RIDGE * np.eye(len(systems)), (chosen - expected).sum(axis=0) - RIDGE * values
        )
        values = values + step / max(1.0, np.abs(step).max())  # at most one unit at a time
        if np.abs(step).max() < TOLERANCE:
            break
    expected, information = _moments(values, members)
    inverse = np.linalg.inv(information + RIDGE * np.eye(len(systems)))
    return Utilities(
        systems,
        values - values.mean(),
        (chosen - expected) @ inverse,
        tuple(vote.rater for vote in counted),
        tuple(vote.item for vote in counted),
    )


def _moments(values: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the vectors that have +1 for the best and -1 for the worst: (votes, systems) means, and the sum of their covariances."""
    sets, which = np.unique(members, axis=0, return_inverse=True)
    means, total = np.zeros(sets.shape), np.zeros((len(values), len(values)))
    for number, (chosen, count) in enumerate(zip(sets, np.bincount(which.ravel()))):
        own = np.nonzero(chosen)[0]
        ordered = [(i, j) for i in own for j in own if i != j]
        vectors = np.zeros((len(ordered), len(values)))
        for line, (i, j) in enumerate(ordered):
            vectors[line, i], vectors[line, j] = 1, -1
        logs = vectors @ values
        shares = np.exp(logs - np.logaddexp.reduce(logs))
        means[number] = shares @ vectors
        total += count * ((vectors.T * shares) @ vectors - np.outer(means[number], means[number]))
    return means[which.ravel()], total


@dataclass(frozen=True)
class Counted:
    """A system's place. score: how often it was best minus how often worst, by how often it was shown: -1 to 1."""

    system: str
    best: int
    worst: int
    shown: int
    score: ClusteredEstimate
    utility: ClusteredEstimate


def best_worst_table(votes: Sequence[Extremes]) -> list[Counted]:
    """All systems, the best first. Errors: ValueError without votes."""
    fitted = utilities(votes)
    counted = [vote for vote in votes if not vote.repeat]
    rows = []
    for system in fitted.systems:
        own = sorted((v for v in counted if system in v.systems), key=lambda v: (v.rater, v.item, v.trial))
        values = [(vote.meant[0] == system) - (vote.meant[1] == system) for vote in own]
        score = clustered_interval(values, [vote.rater for vote in own], [vote.item for vote in own], 0.0)
        rows.append(Counted(system, values.count(1), values.count(-1), len(own), score, fitted.of(system)))
    return sorted(rows, key=lambda row: -row.utility.mean)


def utility_differences(votes: Sequence[Extremes]) -> list[PairedDifference]:
    """Every pair of systems, by name. Errors: ValueError without votes."""
    fitted = utilities(votes)
    return of_all_pairs(fitted.systems, fitted.difference)
