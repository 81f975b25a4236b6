"""All results of a study, each with the number of votes behind it, before and after screening."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass

from eval.listening.analysis.precision import MIN_RATERS, MIN_VOTES_PER_CONDITION, is_preliminary
from eval.listening.analysis.screening import Flag, included
from eval.listening.analysis.votes import Extremes, Vote
from eval.listening.conclusions.intervals import presentable
from eval.listening.conclusions.methods import material_of
from eval.listening.conclusions.metric_agreement import agreement_with_metrics
from eval.listening.conclusions.order_effects import order_effects
from eval.listening.conclusions.per_rater import rater_lines, rater_matrix
from eval.listening.storage.records import DECIDED, TURNED_AWAY, StoredStudy
from eval.listening.study import Study

# The screened results leave their raters out
EXCLUDING_RULES = ("gold", "trap", "hidden-reference", "null-pair", "same-answer", "impossible-time")


def votes_of(study: Study, rows: Sequence[Mapping]) -> list[Vote]:
    """The answers that count, and the repeats, as `Store.answers` gives them."""
    return [vote for row in rows if row["kind"] in ("trial", "repeat") for vote in study.task.votes(row)]


def flags_of(study: Study, votes: Sequence[Vote], raters: Sequence[Mapping]) -> list[Flag]:
    """The flags stored with the answers, those of the headphone check, and those of the rules that compare raters."""
    stored = [Flag(rater["rater"], f["rule"], f["version"], f["detail"]) for rater in raters for f in rater["flags"]]
    headphones = [
        Flag(rater["rater"], "headphones", 1, "The headphone check was skipped or not passed.")
        for rater in raters
        if not rater["events"].get("headphones", {}).get("passed", True)
    ]
    return [*stored, *headphones, *study.task.screen(votes)]


def has_finished(rater: Mapping, answered: int) -> bool:
    """Whether a session has no more trials. rater: as the store gives it; answered: trials of it."""
    return rater["trials"] > 0 and (rater["trials"] <= answered or DECIDED in rater["events"])


def excluding_rules(stored: StoredStudy) -> tuple[str, ...]:
    """Those of EXCLUDING_RULES that no alarm suspends."""
    return tuple(rule for rule in EXCLUDING_RULES if rule not in stored.suspended)


def analyse(stored: StoredStudy, rows: Sequence[Mapping], raters: Sequence[Mapping]) -> dict:
    """JSON-ready. rows, raters: as the store gives them."""
    study = stored.study
    votes = votes_of(study, rows)
    flags = flags_of(study, votes, raters)
    rules_out = excluding_rules(stored)
    kept = included(votes, flags, rules_out)
    answered = Counter(row["rater"] for row in rows)
    rules = {rule: sorted({flag.rater for flag in flags if flag.rule == rule}) for rule in {f.rule for f in flags}}
    content = {
        "study": {"id": stored.public_id, "revision": stored.revision, **study.shareable(), "sha256": study.sha256},
        "n": {
            "started": len(raters),
            "finished": sum(has_finished(rater, answered[rater["rater"]]) for rater in raters),
            "turned_away": sum(TURNED_AWAY in rater["events"] for rater in raters),
            "with_votes": len({vote.rater for vote in votes}),
            "screened": len({vote.rater for vote in kept}),
            "items": len({vote.item for vote in votes}),
            "votes": sum(not vote.repeat for vote in votes),
            "votes_screened": sum(not vote.repeat for vote in kept),
        },
        "languages": _languages(votes, raters),
        "recruiting": _recruiting(study),
        "screening": {
            "excluding": list(rules_out),
            "alarms": [{**asdict(alarm), "text": alarm.text} for alarm in stored.alarms],
            "flagged": {rule: len(who) for rule, who in sorted(rules.items())},
            "flags": [asdict(flag) for flag in flags],
            "removed": _removed(votes, kept, flags, rules_out),
        },
        "preliminary": _preliminary(kept),
        "before": _analysed(study, votes),
        "after": _analysed(study, kept),
        "metrics": agreement_with_metrics(kept, stored.stimuli),
        "order": order_effects(kept),
        "raters": rater_lines(rows, raters, flags, rules_out),
        "matrix": rater_matrix(votes, study.items, raters),
        "material": material_of(stored),
    }
    return {key: _json(value) for key, value in content.items()}


def _analysed(study: Study, votes: Sequence[Vote]) -> dict:
    """JSON-ready; empty without votes."""
    found = _json(study.task.analyse(votes)) if votes else {}
    return presentable(found, study.task) if isinstance(found, dict) else {}


def _languages(votes: Sequence[Vote], raters: Sequence[Mapping]) -> dict[str, int]:
    """How many of the raters with votes had the page in each language, most first; a simulated rater has none."""
    voted = {vote.rater for vote in votes}
    spoken = Counter(rater["language"] for rater in raters if rater["rater"] in voted and rater.get("language"))
    return dict(sorted(spoken.items(), key=lambda found: (-found[1], found[0])))


def _recruiting(study: Study) -> dict | None:
    """The platform that raters came from and the pay of a session: what a paper states; None where they came by the link alone."""
    if (terms := study.recruiting) is None:
        return None
    return {"platform": terms.site.title, "pay": terms.pay, "headphones": terms.headphones}


def _removed(votes: Sequence[Vote], kept: Sequence[Vote], flags: Sequence[Flag], excluding: Sequence[str]) -> dict:
    """What screening leaves out: raters, votes, and {rule: raters}, who may have broken several."""
    gone = {vote.rater for vote in votes} - {vote.rater for vote in kept}
    rules = {rule: len({f.rater for f in flags if f.rule == rule and f.rater in gone}) for rule in excluding}
    count = sum(not vote.repeat for vote in votes) - sum(not vote.repeat for vote in kept)
    return {"raters": len(gone), "votes": count, "rules": {rule: n for rule, n in rules.items() if n}}


def _preliminary(votes: Sequence[Vote]) -> str | None:
    raters = len({vote.rater for vote in votes})
    judged = [vote.systems if isinstance(vote, Extremes) else (vote.condition,) for vote in votes if not vote.repeat]
    conditions = Counter(condition for together in judged for condition in together)
    fewest = min(conditions.values(), default=0)
    if not is_preliminary(raters, fewest):
        return None
    return (
        f"Preliminary: {raters} screened raters and {fewest} votes for the condition with the fewest; "
        f"{MIN_RATERS} and {MIN_VOTES_PER_CONDITION} are the least to quote without this word."
    )


def _json(value: object) -> object:
    """Dataclasses as mappings; what is no number as None."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
