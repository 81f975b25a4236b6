"""Best-worst scaling: balanced sets, known utilities, and the fit against another way to compute it."""

from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.optimize import minimize

from eval.listening.analysis.best_worst import RIDGE, best_worst_table, utilities
from eval.listening.analysis.screening import reversed_extremes
from eval.listening.analysis.votes import Extremes
from eval.listening.blocks import MAX_SYSTEMS, balanced_sets
from eval.listening.simulation.planned import population_votes
from eval.listening.study import MAX_SYSTEMS as MAX_STUDY_SYSTEMS
from eval.listening.study import Study, StudyError

TRUTH = {"a": 1.0, "b": 0.2, "c": -0.3, "d": -0.9}


def drawn(rng, count: int, sizes=(3, 4)) -> list[Extremes]:
    """From the model itself."""
    votes = []
    for number in range(count):
        chosen = tuple(rng.permutation(list(TRUTH))[: sizes[number % len(sizes)]].tolist())
        pairs = list(permutations(range(len(chosen)), 2))
        weights = np.exp([TRUTH[chosen[i]] - TRUTH[chosen[j]] for i, j in pairs])
        best, worst = pairs[rng.choice(len(pairs), p=weights / weights.sum())]
        votes.append(Extremes(f"r{number % 20}", f"i{number % 7}", chosen, best, worst, number))
    return votes


@pytest.mark.parametrize("count", range(3, MAX_SYSTEMS + 1))
def test_sets_are_balanced(count):
    systems = [f"s{n}" for n in range(count)]
    sets = balanced_sets(systems)
    assert len(set(map(len, sets))) == 1
    assert 3 <= len(sets[0]) <= 5
    assert len(set(sets)) == len(sets)
    together = Counter(pair for chosen in sets for pair in combinations(chosen, 2))
    assert len(together) == count * (count - 1) // 2
    assert len(set(together.values())) == 1, "every two systems come together equally often"
    assert len(set(Counter(system for chosen in sets for system in chosen).values())) == 1


def test_every_study_has_sets():
    assert MAX_SYSTEMS >= MAX_STUDY_SYSTEMS
    with pytest.raises(StudyError, match="at least three systems"):
        Study("x", "bws", ("i",), ("a", "b"))
    with pytest.raises(ValueError, match="at most 12"):
        balanced_sets(["s"] * 13)


def test_known_utilities_are_recovered(rng):
    fitted = utilities(drawn(rng, 20_000))
    assert dict(zip(fitted.systems, fitted.values)) == pytest.approx(TRUTH, abs=0.05)


def test_the_fit_is_the_maximum_of_the_likelihood_written_out(rng):
    votes = drawn(rng, 60)

    def cost(values) -> float:
        of = dict(zip(TRUTH, values))
        total = RIDGE * np.sum(np.square(values)) / 2
        for vote in votes:
            logs = [of[i] - of[j] for i, j in permutations(vote.systems, 2)]
            best, worst = vote.meant
            total += np.logaddexp.reduce(logs) - (of[best] - of[worst])
        return total

    found = minimize(cost, np.zeros(4), tol=1e-12).x
    assert utilities(votes).values == pytest.approx(found - found.mean(), abs=1e-4)


def test_a_set_of_two_is_a_logistic_comparison():
    """Its best wins a comparison whose odds are the square of the utilities' ratio: best over worst, not over nothing."""
    votes = [Extremes("r", f"i{n}", ("a", "b"), int(n >= 30), int(n < 30), n) for n in range(40)]
    assert utilities(votes).difference("a", "b").mean == pytest.approx(np.log(3) / 2, abs=0.01)


def test_the_variance_is_the_models_where_votes_are_independent(rng):
    """Each rater and clip once: the sandwich is then close to the inverse information, the usual standard error."""
    votes = [Extremes(f"r{n}", f"i{n}", v.systems, v.best, v.worst, n) for n, v in enumerate(drawn(rng, 3000))]
    estimate = utilities(votes).difference("a", "d")
    ends = [utilities(votes[k::10]).difference("a", "d").mean for k in range(10)]
    assert (estimate.high - estimate.low) / 3.92 == pytest.approx(np.std(ends, ddof=1) / np.sqrt(10), rel=0.5)
    assert estimate.low < TRUTH["a"] - TRUTH["d"] < estimate.high


def test_counts_and_scores(rng):
    votes = drawn(rng, 300)
    table = {row.system: row for row in best_worst_table(votes)}
    assert [row.system for row in best_worst_table(votes)] == ["a", "b", "c", "d"]
    assert sum(row.best for row in table.values()) == sum(row.worst for row in table.values()) == 300
    for row in table.values():
        assert row.score.mean == pytest.approx((row.best - row.worst) / row.shown)
    assert sum(row.utility.mean for row in table.values()) == pytest.approx(0, abs=1e-9)


def test_sets_that_come_out_the_other_way_round_flag_a_rater():
    first = [Extremes("r", f"i{n}", ("a", "b", "c"), 0, 2, n) for n in range(4)]
    again = [Extremes("r", f"i{n}", ("c", "b", "a"), 0, 2, 10 + n, True) for n in range(4)]
    assert [flag.rule for flag in reversed_extremes([*first, *again])] == ["inconsistent"]
    same = [Extremes("r", f"i{n}", ("c", "b", "a"), 2, 0, 10 + n, True) for n in range(4)]
    assert reversed_extremes([*first, *same]) == []


def test_answers_are_two_different_places():
    study = Study("x", "bws", ("i", "j"), tuple(TRUTH), repeats=0)
    trial = study.task.trial(study, 0, 0, 0)
    valid = [study.task.is_answer(trial, answer) for answer in ([0, 3], [3, 0], [1, 1], [0, 4], [0], 2, [True, 2])]
    assert valid == [True, True, False, False, False, False, False]
    assert study.conditions == tuple(TRUTH)
    assert len(population_votes(study, 0.6, 2, np.random.default_rng(0))) == 2 * study.units
