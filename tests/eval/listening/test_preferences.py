"""Comparisons: the ranking against other ways to compute it and against known strengths, pairs against exact tests."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from eval.listening.analysis.preferences import pair_table, rank
from eval.listening.analysis.votes import Preference

STRENGTHS = {"a": 0.9, "b": 0.2, "c": -0.3, "d": -0.8}
TIE = 0.6


def study(rng, raters: int, votes: int, strengths=STRENGTHS, tie=TIE, taste=0.0) -> list[Preference]:
    """Davidson's model; `taste` is the standard deviation of what each rater adds to each strength."""
    names, made = list(strengths), []
    for rater in range(raters):
        own = np.array(list(strengths.values())) + rng.normal(0, taste, len(names))
        pairs = rng.random((votes, len(names))).argsort(axis=1)[:, :2]
        first, second = own[pairs[:, 0]], own[pairs[:, 1]]
        weights = np.exp(np.stack([first, second, (first + second) / 2], axis=1)) * [1, 1, tie]
        answers = (rng.random((votes, 1)) > np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
        for k, ((i, j), answer) in enumerate(zip(pairs, answers)):
            made.append(Preference(f"r{rater}", f"i{k}", (names[i], names[j]), None if answer == 2 else int(answer), k))
    return made


def strengths_of(ranking) -> dict[str, float]:
    return {ranked.system: ranked.strength.mean for ranked in sorted(ranking.systems, key=lambda r: r.system)}


def answer_counts(votes) -> dict[tuple[str, str], list[int]]:
    table = {pair: [0, 0, 0] for pair in combinations(STRENGTHS, 2)}
    for vote in votes:
        pair = tuple(sorted(vote.systems))
        table[pair][2 if vote.choice is None else pair.index(vote.systems[vote.choice])] += 1
    return table


def test_known_strengths_are_recovered(rng):
    ranking = rank(study(rng, 100, 200), resamples=1)
    assert [ranked.system for ranked in ranking.systems] == list(STRENGTHS)
    assert strengths_of(ranking) == pytest.approx(STRENGTHS, abs=0.08)
    assert ranking.tie == pytest.approx(TIE, abs=0.05)
    assert (ranking.raters, ranking.votes) == (100, 20_000)
    assert sum(ranked.strength.mean for ranked in ranking.systems) == pytest.approx(0, abs=1e-9)
    assert np.mean([ranked.share.mean for ranked in ranking.systems]) == pytest.approx(0.5)


def test_the_fit_is_that_of_a_poisson_regression(rng):
    """Davidson's model is log-linear: expected counts are exp(pair + strengths + tie), whatever each pair's total."""
    votes = study(rng, 12, 25)
    counts = answer_counts(votes)
    names, rows, target = list(STRENGTHS), [], []
    for game, ((first, second), answers) in enumerate(counts.items()):
        for answer, count in enumerate(answers):
            shares = {first: (1, 0, 0.5)[answer], second: (0, 1, 0.5)[answer]}
            rows.append([*np.eye(len(counts))[game], *(shares.get(name, 0) for name in names[1:]), answer == 2])
            target.append(count)
    fit = sm.GLM(target, np.array(rows, dtype=float), family=sm.families.Poisson()).fit(tol=1e-12)
    log_strengths = np.concatenate([[0.0], fit.params[len(counts) : -1]])
    ranking = rank(votes, prior=0, resamples=1)
    assert list(strengths_of(ranking).values()) == pytest.approx(log_strengths - log_strengths.mean(), abs=1e-4)
    assert ranking.tie == pytest.approx(np.exp(fit.params[-1]), abs=1e-4)


def test_without_ties_the_fit_is_that_of_a_logistic_regression(rng):
    votes = study(rng, 12, 25, tie=0.0)
    names = list(STRENGTHS)
    sides = np.array(
        [[(name == v.systems[0]) - (name == v.systems[1]) for name in names[1:]] for v in votes], dtype=float
    )
    fit = sm.Logit([v.choice == 0 for v in votes], sides).fit(disp=0, tol=1e-12)
    log_strengths = np.concatenate([[0.0], fit.params])
    ranking = rank(votes, prior=0, resamples=1)
    assert list(strengths_of(ranking).values()) == pytest.approx(log_strengths - log_strengths.mean(), abs=1e-4)
    assert ranking.tie == 0


def test_the_prior_is_half_a_win_and_half_a_loss():
    """With two systems a and b = -a, the slope of the log-likelihood in a is known, and zero where the fit is."""
    votes = [Preference("r", f"i{k}", ("a", "b"), int(k >= 6), k) for k in range(8)]
    assert strengths_of(rank(votes, prior=0)) == pytest.approx({"a": np.log(3) / 2, "b": -np.log(3) / 2}, abs=1e-4)
    found = strengths_of(rank(votes))["a"]
    # 6 wins and 2 losses, and for each system half a win and half a loss against zero
    assert 2 * (6 - 8 * expit(2 * found)) + 2 * (0.5 - expit(found)) == pytest.approx(0, abs=1e-4)


def test_who_always_wins_is_strong_but_not_infinitely_so():
    unanimous = [Preference(f"r{k}", "i", ("best", "worst"), 0, 0) for k in range(12)]
    ranking = rank(unanimous)
    best, worst = ranking.systems
    assert (best.system, ranking.tie) == ("best", 0)
    assert 1 < best.strength.mean < 5
    assert worst.strength.mean == pytest.approx(-best.strength.mean)
    assert 0.9 < best.share.mean < 1
    assert best.strength.low is None  # twelve alike: no spread to learn from
    undecided = rank([replace(vote, choice=None) for vote in unanimous])
    assert [ranked.share.mean for ranked in undecided.systems] == pytest.approx([0.5, 0.5])
    assert 1 < undecided.tie < 100


def test_systems_that_nothing_connects_cannot_be_ranked():
    votes = [Preference("r", "i", pair, 0, 0) for pair in (("a", "b"), ("b", "c"), ("x", "y"))]
    with pytest.raises(ValueError, match=r"a, b, c \| x, y"):
        rank(votes)
    joining = Preference("r", "i", ("c", "x"), None, 0)
    assert len(rank([*votes, joining]).systems) == 5
    with pytest.raises(ValueError, match="connects"):
        rank([*votes, replace(joining, repeat=True)])
    with pytest.raises(ValueError, match="needs votes"):
        rank([])


def test_nothing_depends_on_the_order_of_votes_or_of_systems(rng):
    votes = study(rng, 8, 12)
    turned = [replace(v, systems=v.systems[::-1], choice=None if v.choice is None else 1 - v.choice) for v in votes]
    shuffled = [turned[k] for k in rng.permutation(len(turned))]
    assert rank(shuffled, resamples=50) == rank(votes, resamples=50)
    assert pair_table(shuffled) == pair_table(votes)
    assert rank(votes, seed=1, resamples=50) != rank(votes, seed=2, resamples=50)
    again = [replace(vote, repeat=True) for vote in votes]
    assert rank(votes + again, resamples=50) == rank(votes, resamples=50)
    assert pair_table(votes + again) == pair_table(votes)


def test_all_resamples_at_once_are_each_fitted_as_well_as_alone(rng):
    """A heavier rater is the same as that rater twice, so one drawn sample can be written out and fitted by itself."""
    votes = study(rng, 6, 10)
    raters = sorted({vote.rater for vote in votes})
    drawn = np.random.default_rng(0).multinomial(6, np.full(6, 1 / 6), 1)[0]
    written_out = [
        replace(vote, rater=f"{vote.rater}-{copy}")
        for rater, times in zip(raters, drawn)
        for copy in range(times)
        for vote in votes
        if vote.rater == rater
    ]
    only = {ranked.system: ranked.strength.low for ranked in rank(votes, seed=0, resamples=1).systems}
    assert only == pytest.approx(strengths_of(rank(written_out, resamples=1)), abs=1e-4)


def test_the_bootstrap_knows_that_raters_differ():
    """Raters with tastes of their own: intervals for new raters cover what a very large panel would say; as if every
    vote had come from somebody else, they do not."""
    rng = np.random.default_rng(4)
    strengths = {"a": 0.4, "b": 0.0, "c": -0.4}
    truth = strengths_of(rank(study(rng, 3000, 10, strengths, taste=0.8), resamples=1))
    covered = {"raters": [], "votes": []}
    for run in range(150):
        votes = study(rng, 20, 30, strengths, taste=0.8)
        alone = [replace(vote, rater=str(k)) for k, vote in enumerate(votes)] if run < 50 else []
        for unit, taken in (("raters", votes), ("votes", alone))[: 2 if alone else 1]:
            for ranked in rank(taken, resamples=300).systems:
                covered[unit].append(ranked.strength.low <= truth[ranked.system] <= ranked.strength.high)
    assert 0.91 <= np.mean(covered["raters"]) <= 0.97
    assert np.mean(covered["votes"]) < 0.80


def test_a_handful_of_raters_gets_no_interval(rng):
    few = rank(study(rng, 4, 20))
    assert all(ranked.strength.low is None and ranked.share.high is None for ranked in few.systems)
    assert all(ranked.strength.low is not None for ranked in rank(study(rng, 5, 20), resamples=20).systems)


def test_pairs_are_counted():
    """9 of 10, by one rater: 2 (1 + 10) / 2^10 if these were independent, and no test for new raters."""
    pair = [Preference("r", f"i{k}", ("b", "a") if k % 2 else ("a", "b"), k % 2, k) for k in range(9)]
    pair += [Preference("r", "i9", ("a", "b"), 1, 9), *(Preference("r", "i", ("b", "a"), None, 10) for _ in range(3))]
    other = [Preference("r", f"i{k}", ("a", "c"), k % 2, k) for k in range(4)]
    tied = [Preference("r", "i", ("b", "c"), None, 20)]
    first, second, third = pair_table(pair + other + tied)
    assert (first.first, first.second, first.wins, first.ties, first.losses) == ("a", "b", 9, 3, 1)
    assert (first.share.mean, first.share.n) == (0.9, 10)
    assert (first.share.p, first.p_holm) == (pytest.approx(22 / 1024), None)
    assert (first.share.low, first.share.high) == pytest.approx(
        (0.5550, 0.9975), abs=1e-4
    )  # Clopper & Pearson's tables
    assert (second.wins, second.losses) == (2, 2)
    assert (third.ties, third.share.n, third.share.p, third.p_holm) == (1, 0, None, None)
    assert pair_table([]) == []


def test_what_everybody_prefers_is_preferred():
    """Nine raters of seven clips, all for the same one: 2 / 2^7, whatever the number of votes."""
    votes = [Preference(f"r{r}", f"i{i}", ("b", "a"), 1, i) for r in range(9) for i in range(7)]
    (pair,) = pair_table(votes)
    assert (pair.net.mean, pair.net.p, pair.p_holm) == (1.0, pytest.approx(2 / 2**7), pytest.approx(2 / 2**7))
    assert (pair.net.low, pair.net.high) == (pytest.approx(2 * 0.025 ** (1 / 7) - 1), 1.0)
    (pair,) = pair_table([vote for vote in votes if vote.rater == "r0"])
    assert pair.p_holm is None, "one rater is no test"


def test_tastes_that_differ_are_no_preference(rng):
    """Equal systems, whose listeners prefer one or the other by a taste of their own: the test for new raters finds a preference as
    seldom as it says, the sign test of all votes, far too often."""
    clustered = signs = 0
    for _ in range(300):
        taste = rng.normal(0, 1, 16)
        prefers = rng.random((16, 8)) < 1 / (1 + np.exp(-taste[:, None]))
        votes = [Preference(f"r{r}", f"i{i}", ("a", "b"), int(prefers[r, i]), i) for r in range(16) for i in range(8)]
        (pair,) = pair_table(votes)
        clustered += pair.p_holm < 0.05
        signs += pair.share.p < 0.05
    assert clustered / 300 <= 0.075
    assert signs / 300 >= 0.12
