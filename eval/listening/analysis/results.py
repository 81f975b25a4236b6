"""All results of a study, each with the number of votes behind it, before and after screening."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass

import numpy as np

from eval.listening.analysis.estimates import holm
from eval.listening.analysis.identification import identified, identified_by_rater
from eval.listening.analysis.power import MIN_RATERS, MIN_VOTES_PER_CONDITION, is_preliminary
from eval.listening.analysis.preferences import pair_table, rank
from eval.listening.analysis.ratings import means, paired_differences, scores_by_system
from eval.listening.analysis.reliability import alpha, consistency, first_preferred, order_effect, slot_effect
from eval.listening.analysis.screening import Flag, included, screen
from eval.listening.analysis.votes import AbxResponse, Preference, Rating, Vote
from eval.listening.storage.records import Stimulus, StoredStudy
from eval.listening.study import Study

EXCLUDING_RULES = ("gold", "trap", "hidden-reference", "same-answer")  # the screened results leave their raters out
_CHOICES = {"a": 0, "b": 1, "same": None}
MIN_CORRELATION_POINTS = 5  # of scores with a metric


def votes_of(study: Study, rows: Sequence[Mapping]) -> list[Vote]:
    """The answers that count, and the repeats, as `Store.answers` gives them."""
    votes: list[Vote] = []
    for row in rows:
        if row["kind"] not in ("trial", "repeat"):
            continue
        about = {"rater": row["rater"], "item": row["item"], "trial": row["number"], "repeat": row["kind"] == "repeat"}
        if study.mode == "ab":
            votes.append(Preference(systems=tuple(row["shown"]), choice=_CHOICES[row["answer"]], **about))
        elif study.mode == "abx":
            answer = _CHOICES[row["answer"]]
            votes.append(AbxResponse(systems=tuple(row["shown"]), x=row["x"], answer=answer, **about))
        else:
            scores = row["answer"] if study.mode == "mushra" else [row["answer"]]
            for slot, (system, score) in enumerate(zip(row["shown"], scores)):
                votes.append(Rating(system=system, score=score, slot=slot, **about))
    return votes


def flags_of(study: Study, votes: Sequence[Vote], raters: Sequence[Mapping]) -> list[Flag]:
    """The flags stored with the answers, those of the headphone check, and those of the rules that compare raters."""
    stored = [Flag(rater["rater"], f["rule"], f["version"], f["detail"]) for rater in raters for f in rater["flags"]]
    headphones = [
        Flag(rater["rater"], "headphones", 1, "The headphone check was skipped or not passed.")
        for rater in raters
        if not rater["events"].get("headphones", {}).get("passed", True)
    ]
    return [*stored, *headphones, *screen(study.mode, votes)]


def analyse(stored: StoredStudy, rows: Sequence[Mapping], raters: Sequence[Mapping]) -> dict:
    """JSON-ready. rows, raters: as the store gives them."""
    study = stored.study
    votes = votes_of(study, rows)
    flags = flags_of(study, votes, raters)
    kept = included(votes, flags, EXCLUDING_RULES)
    answered = Counter(row["rater"] for row in rows)
    rules = {rule: sorted({flag.rater for flag in flags if flag.rule == rule}) for rule in {f.rule for f in flags}}
    content = {
        "study": {"id": stored.public_id, "revision": stored.revision, **asdict(study), "sha256": study.sha256},
        "n": {
            "started": len(raters),
            "finished": sum(answered[rater["rater"]] >= rater["trials"] for rater in raters),
            "with_votes": len({vote.rater for vote in votes}),
            "screened": len({vote.rater for vote in kept}),
            "items": len({vote.item for vote in votes}),
            "votes": sum(not vote.repeat for vote in votes),
            "votes_screened": sum(not vote.repeat for vote in kept),
        },
        "screening": {
            "excluding": list(EXCLUDING_RULES),
            "flagged": {rule: len(who) for rule, who in sorted(rules.items())},
            "flags": [asdict(flag) for flag in flags],
        },
        "preliminary": _preliminary(study, kept),
        "before": _analysis(study, votes),
        "after": _analysis(study, kept),
        "metrics": _against_metrics(kept, stored.stimuli),
    }
    return _json(content)


def _preliminary(study: Study, votes: Sequence[Vote]) -> str | None:
    raters = len({vote.rater for vote in votes})
    counted = [vote for vote in votes if not vote.repeat]
    conditions = Counter(v.system if isinstance(v, Rating) else tuple(sorted(v.systems)) for v in counted)
    fewest = min(conditions.values(), default=0)
    if not is_preliminary(raters, fewest):
        return None
    return (
        f"Preliminary: {raters} screened raters and {fewest} votes for the condition with the fewest; "
        f"{MIN_RATERS} and {MIN_VOTES_PER_CONDITION} are the least to quote without this word."
    )


def _analysis(study: Study, votes: Sequence[Vote]) -> dict:
    if not votes:
        return {}
    if study.mode == "ab":
        return _preferences(votes)
    return _identifications(votes) if study.mode == "abx" else _ratings(study.mode, votes)


def _ratings(mode: str, votes: Sequence[Rating]) -> dict:
    found = means(votes)
    scores = scores_by_system(votes)
    return {
        "means": dict(sorted(found.items(), key=lambda pair: -pair[1].mean)),
        "distributions": {system: _distribution(mode, values.values()) for system, values in scores.items()},
        "by_item": {system: _by(values, 1) for system, values in scores.items()},
        "differences": paired_differences(votes),
        "alpha": alpha(mode, votes),
        "consistency": consistency(votes),
        "order_effect": order_effect(votes),
    } | ({"slot_effect": slot_effect(votes)} if mode == "mushra" else {})


def _distribution(mode: str, scores) -> list[int]:
    """Votes in each of the five categories, the worst first. MUSHRA's are 20 points wide."""
    edges = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5] if mode == "acr" else [0, 20, 40, 60, 80, 100]
    return np.histogram(list(scores), bins=edges)[0].tolist()


def _by(scores: Mapping[tuple[str, str], float], side: int) -> dict[str, float]:
    """Means by rater (0) or item (1)."""
    groups = defaultdict(list)
    for cell, score in scores.items():
        groups[cell[side]].append(score)
    return {name: float(np.mean(values)) for name, values in groups.items()}


def _preferences(votes: Sequence[Preference]) -> dict:
    try:
        ranking, why = rank(votes), ""
    except ValueError as error:
        ranking, why = None, str(error)
    return {
        "ranking": ranking,
        "no_ranking": why,
        "pairs": pair_table(votes),
        "alpha": alpha("ab", votes),
        "consistency": consistency(votes),
        "first_preferred": first_preferred(votes),
    }


def _identifications(votes: Sequence[AbxResponse]) -> dict:
    pairs = identified(votes)
    adjusted = holm([pair.share.p for pair in pairs])
    return {
        "pairs": [asdict(pair) | {"p_holm": p} for pair, p in zip(pairs, adjusted)],
        "by_rater": identified_by_rater(votes),
    }


def _against_metrics(votes: Sequence[Vote], stimuli: Sequence[Stimulus]) -> dict:
    """{metric: points of (item, system, value, mean score), with rank correlations over takes and over systems}."""
    ratings = [vote for vote in votes if isinstance(vote, Rating)]
    human = {system: _by(values, 1) for system, values in scores_by_system(ratings).items()}
    found: dict[str, dict] = {}
    for name in dict.fromkeys(name for take in stimuli for name in take.metrics):
        points = [
            {"item": s.item, "system": s.condition, "value": value, "score": human[s.condition][s.item]}
            for s in stimuli
            if (value := s.metrics.get(name)) is not None and s.item in human.get(s.condition, {})
        ]
        if points:
            systems = [
                [np.mean([point[key] for point in points if point["system"] == system]) for key in ("value", "score")]
                for system in dict.fromkeys(point["system"] for point in points)
            ]
            found[name] = {
                "points": points,
                "takes": _correlation([(point["value"], point["score"]) for point in points]),
                "systems": _correlation(systems),
            }
    return found


def _correlation(pairs: Sequence[Sequence[float]]) -> dict:
    """Spearman's; None with too few points, or where one side does not vary."""
    from scipy.stats import spearmanr

    if len(pairs) < MIN_CORRELATION_POINTS or min(np.ptp(np.asarray(pairs, float), axis=0)) == 0:
        return {"n": len(pairs), "spearman": None}
    return {"n": len(pairs), "spearman": float(spearmanr(*zip(*pairs)).statistic)}


def _json(value: object) -> object:
    """Dataclasses as mappings; what is no number as None."""
    if is_dataclass(value):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
