"""Paired comparisons: a strength for each system (Bradley & Terry 1952, with ties as in Davidson 1970), and counts
for each pair.

    P(i wins) = s_i / (s_i + s_j + nu sqrt(s_i s_j)),   P(tie) = nu sqrt(s_i s_j) / (the same)

In the logarithms of s and nu the three answers to a pair are a softmax of linear functions, so the log-likelihood is
concave and one matrix determines the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from eval.compare.intervals import MIN_VALUES, Estimate
from eval.listening.analysis.estimates import (
    ALL_EQUAL,
    ClusteredEstimate,
    Share,
    clustered_interval,
    exact_share,
    holm,
    t_quantile,
)
from eval.listening.analysis.votes import Preference

PRIOR = 0.5  # wins, and as many losses, of every system against a virtual opponent of average strength
RESAMPLES = 1000  # of the raters
MAX_ABS_LOG_NU = 12.0  # reached without any ties, or with nothing else


@dataclass(frozen=True)
class Ranked:
    """A system's place. Intervals are for new raters and these clips; None with fewer than five raters."""

    system: str
    strength: Estimate  # natural log of s, zero on average over the systems
    share: Estimate  # expected share of wins against the others, 0 to 1, a tie being half a win


@dataclass(frozen=True)
class Ranking:
    """All systems, the strongest first."""

    systems: tuple[Ranked, ...]
    tie: float  # nu: 0 without ties, 1 where equals tie every third time, 2 every second time
    raters: int
    votes: int


def rank(votes: Sequence[Preference], seed: int = 0, prior: float = PRIOR, resamples: int = RESAMPLES) -> Ranking:
    """Maximum likelihood, with percentile bootstrap intervals over raters, the sampling unit, expanded for their small
    number (Hesterberg 2015). Deterministic.

    The prior keeps a system that always wins at a finite strength; it weighs as much as one vote per system.
    Errors: ValueError where no votes connect some systems with the others.
    """
    votes = [vote for vote in votes if not vote.repeat]
    systems = sorted({system for vote in votes for system in vote.systems})
    _require_connected(votes, systems)
    raters = sorted({vote.rater for vote in votes})
    pairs = list(combinations(range(len(systems)), 2))
    counts = _counts(votes, systems, raters)
    drawn = np.ones((1, len(raters)))
    if len(raters) >= MIN_VALUES:
        again = np.random.default_rng(seed).multinomial(len(raters), drawn[0] / len(raters), resamples)
        drawn = np.vstack([drawn, again])
    design = _design(len(systems), pairs)
    virtual = np.tile([prior, prior, 0.0], (len(drawn), len(systems), 1))
    log_ratios = _fit(np.concatenate([np.tensordot(drawn, counts, 1), virtual], axis=1), design)
    strengths = log_ratios[:, :-1] @ _contrasts(len(systems)).T
    shares = _shares(log_ratios, design, pairs)
    heard = {system: sum(system in vote.systems for vote in votes) for system in systems}
    ranked = [
        Ranked(system, *(_estimate(fits[:, k], heard[system], len(raters)) for fits in (strengths, shares)))
        for k, system in enumerate(systems)
    ]
    tie = float(np.exp(log_ratios[0, -1])) if counts[..., 2].any() else 0.0
    return Ranking(tuple(sorted(ranked, key=lambda r: -r.strength.mean)), tie, len(raters), len(votes))


def _require_connected(votes: Sequence[Preference], systems: Sequence[str]) -> None:
    if not votes:
        raise ValueError("a ranking needs votes")
    groups = [{system} for system in systems]
    for pair in {vote.systems for vote in votes}:
        joined = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    if len(groups) > 1:
        apart = " | ".join(sorted(", ".join(sorted(group)) for group in groups))
        raise ValueError(f"no comparison connects these groups of systems: {apart}")


def _counts(votes: Sequence[Preference], systems: Sequence[str], raters: Sequence[str]) -> np.ndarray:
    """(raters, pairs, 3): how often the first of each pair won, the second, neither."""
    place = {pair: index for index, pair in enumerate(combinations(systems, 2))}
    row = {rater: index for index, rater in enumerate(raters)}
    counts = np.zeros((len(raters), len(place), 3))
    for vote in votes:
        pair = vote.condition
        counts[row[vote.rater], place[pair], 2 if vote.choice is None else pair.index(vote.meant)] += 1
    return counts


def _contrasts(systems: int) -> np.ndarray:
    """(systems, systems - 1): what turns free parameters into strengths that add up to zero."""
    from scipy.linalg import helmert

    return helmert(systems).T


def _design(systems: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """(pairs + systems, 3, systems): log weight of each answer, per free strength and, last, log nu. The rows after the
    pairs are the games against the virtual opponent, whose strength is zero."""
    strength = np.vstack([_contrasts(systems), np.zeros(systems - 1)])
    games = [*pairs, *((system, systems) for system in range(systems))]
    first, second = (strength[[game[side] for game in games]] for side in (0, 1))
    answers = np.stack([first, second, (first + second) / 2], axis=1)
    tie = np.broadcast_to([[0.0], [0.0], [1.0]], (len(games), 3, 1))
    return np.concatenate([answers, tie], axis=2)


def _answers(log_ratios: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(fits, games, 3) probabilities of the answers, and their logarithms."""
    weights = np.einsum("bf,gaf->bga", log_ratios, design)
    logs = weights - np.logaddexp.reduce(weights, axis=2, keepdims=True)
    return np.exp(logs), logs


def _fit(counts: np.ndarray, design: np.ndarray) -> np.ndarray:
    """(fits, games, 3) counts to (fits, systems) parameters. Resamples share nothing, so one search over all of them at
    once finds what a search for each would, only faster."""
    from scipy.optimize import minimize

    shape = len(counts), design.shape[2]
    games, total = counts.sum(axis=2, keepdims=True), counts[0].sum()

    def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        probabilities, logs = _answers(parameters.reshape(shape), design)
        slope = np.einsum("bga,gaf->bf", games * probabilities - counts, design)
        return -(counts * logs).sum() / total, slope.ravel() / total

    bounds = ([(None, None)] * (shape[1] - 1) + [(-MAX_ABS_LOG_NU, MAX_ABS_LOG_NU)]) * shape[0]
    options = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-7}
    start = np.zeros(shape)  # systems that are all alike
    first, second, neither = np.moveaxis(counts.sum(axis=1), 1, 0)
    start[:, -1] = np.log(
        np.clip(2 * neither / np.maximum(first + second, 1e-9), np.exp(-MAX_ABS_LOG_NU), np.exp(MAX_ABS_LOG_NU))
    )
    return minimize(cost, start.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x.reshape(shape)


def _shares(log_ratios: np.ndarray, design: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """(fits, systems) expected share of wins against all others."""
    probabilities, _ = _answers(log_ratios, design[: len(pairs)])
    systems = design.shape[2]
    shares = np.zeros((len(log_ratios), systems))
    for game, (first, second) in enumerate(pairs):
        won = probabilities[:, game, 0] + probabilities[:, game, 2] / 2
        shares[:, first] += won
        shares[:, second] += 1 - won
    return shares / (systems - 1)


def _estimate(fits: np.ndarray, n: int, raters: int) -> Estimate:
    """The first fit is of all raters as they were, the others of raters drawn again. No interval where all of those
    agree, since a width of zero would claim certainty.

    Plain percentiles are too narrow for few raters: as if t were normal, and a variance divided by n instead of n - 1.
    """
    from scipy.special import ndtr

    if np.allclose(fits, fits[0], atol=1e-5):
        return Estimate(float(fits[0]), n)
    tail = ndtr(-t_quantile(raters - 1) * np.sqrt(raters / (raters - 1)))
    return Estimate(float(fits[0]), n, *np.quantile(fits[1:], [tail, 1 - tail]).tolist())


@dataclass(frozen=True)
class PairCounts:
    """Two systems against each other, as counted."""

    first: str
    second: str
    wins: int  # of `first`
    ties: int
    losses: int
    share: Share  # of wins among votes that are no tie; interval and p as if votes were independent
    p_holm: float | None  # of `net`, over all pairs that were compared
    net: ClusteredEstimate  # share of wins minus share of losses, ties in between: -1 to 1; p of zero


def pair_table(votes: Sequence[Preference]) -> list[PairCounts]:
    """Every pair that was compared, by name. Repeats have no vote."""
    table: dict[tuple[str, str], list[Preference]] = {}
    for vote in votes:
        if not vote.repeat:
            table.setdefault(vote.condition, []).append(vote)
    found = []
    for (first, second), own in sorted(table.items()):
        winners = [vote.meant for vote in own]
        wins, losses, ties = (winners.count(name) for name in (first, second, None))
        found.append((first, second, wins, ties, losses, exact_share(wins, wins + losses)))
    nets = [net_preference(table[row[:2]], row[0]) for row in found]
    adjusted = holm([net.p for net in nets])
    return [PairCounts(*row, p, net) for row, p, net in zip(found, adjusted, nets)]


def net_preference(votes: Sequence[Preference], system: str) -> ClusteredEstimate:
    """Share of the votes for a system minus that for the other one, ties counting for neither; for new raters and clips. votes: of
    one pair.

    Where all votes are for the same one there is no spread to learn from, but as many raters, or clips if these are fewer, who agree:
    interval and p are those of the exact sign test of so many.
    """
    counted = sorted((vote for vote in votes if not vote.repeat), key=lambda vote: (vote.rater, vote.item, vote.trial))
    values = [0.0 if vote.meant is None else 1.0 if vote.meant == system else -1.0 for vote in counted]
    found = clustered_interval(values, [vote.rater for vote in counted], [vote.item for vote in counted], null=0.0)
    if found.note != ALL_EQUAL or not found.mean:
        return found
    agreeing = min(size for size in (found.raters, found.items) if size > 1)
    share = exact_share(agreeing if found.mean > 0 else 0, agreeing)
    return replace(found, low=2 * share.low - 1, high=2 * share.high - 1, p=share.p)  # type: ignore[operator]
