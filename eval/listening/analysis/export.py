"""A study's answers as other programs read them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.listening.analysis.results import excluding_rules, flags_of, votes_of
from eval.listening.analysis.votes import Rating
from eval.listening.storage.records import COMMENT, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.tasks.choices.pair import SIDES
from eval.listening.trial import Trial

LONG = (
    "study", "revision", "rater", "row", "language", "trial", "kind", "item", "slot", "condition", "x", "answer", "heard_s",
    "plays", "switches", "dwell_ms", "shown_at", "answered_at", "flags", "excluded", "comment",
)  # fmt: skip
# As webMUSHRA writes it, so that scripts made for it go on working
WEBMUSHRA = (
    "session_test_id",
    "session_uuid",
    "trial_id",
    "rating_stimulus",
    "rating_score",
    "rating_time",
    "rating_comment",
)


def export_study(store: Store, public_id: str, folder: Path, clean: bool = False) -> list[Path]:
    """answers.csv (a line per output and answer), answers.jsonl (everything, raters too), webmushra.csv (scores).

    clean: only the trials that count, of the raters whom screening keeps.

    Errors: KeyError for an unknown study.
    """
    stored, rows, raters = store.study(public_id), store.answers(public_id), store.raters(public_id)
    folder.mkdir(parents=True, exist_ok=True)
    flags: dict[str, list[str]] = {rater["rater"]: [] for rater in raters}
    said = {
        (rater["rater"], kind): content["text"]
        for rater in raters
        for kind, content in rater["events"].items()
        if kind.startswith(COMMENT)
    }
    comments = [said.get((row["rater"], f"{COMMENT}{row['number']}"), "") for row in rows]
    for flag in flags_of(stored.study, votes_of(stored.study, rows), raters):
        flags.setdefault(flag.rater, []).append(flag.rule)
    if clean:
        raters = [rater for rater in raters if not set(flags[rater["rater"]]) & set(excluding_rules(stored))]
        kept = {rater["rater"] for rater in raters}
        rows = [row for row in rows if row["kind"] == "trial" and row["rater"] in kept]
    paths = [folder / name for name in ("answers.csv", "answers.jsonl", "webmushra.csv")]
    answers = [
        (*line, comment)
        for row, comment in zip(rows, comments)
        for line in _long(stored, row, flags.get(row["rater"], []))
    ]
    _write_csv(paths[0], LONG, answers)
    _write_jsonl(paths[1], stored, rows, raters)
    scores = [(*line, comment) for row, comment in zip(rows, comments) for line in _webmushra(stored, row)]
    _write_csv(paths[2], WEBMUSHRA, scores)
    return paths


PARTICIPANTS = ("participant", "platform_study", "platform_session", "rater", "code", "started", "outcome")


def export_participants(store: Store, public_id: str, path: Path) -> Path:
    """A CSV of a platform's ids beside the raters of answers.csv: for payment, and for holders of the study's key only.

    Errors: KeyError for an unknown study.
    """
    store.study(public_id)
    rows = store.participants(public_id)
    path.touch(0o600)  # nobody else reads who took part
    _write_csv(path, PARTICIPANTS, ([row[name] for name in PARTICIPANTS] for row in rows))
    return path


def _long(stored: StoredStudy, row: Mapping, flags: Sequence[str]) -> list[tuple]:
    """A line per rated sound; explicit references have none."""
    excluded = bool(set(flags) & set(excluding_rules(stored)))
    task = stored.study.task
    trial = Trial(row["kind"], row["item"], tuple(row["shown"]), row["x"])
    # `heard` and `plays` begin with an explicit reference
    first = [role for role, _ in task.slots(trial)].index("take")
    about = (stored.public_id, stored.revision, row["rater"], row["row"], row["language"])
    lines = []
    for slot, condition in enumerate(row["shown"]):
        answer = task.answer_about(row["answer"], slot)
        plays = row["plays"][slot + first] if slot + first < len(row["plays"]) else ""
        x = "" if row["x"] is None else SIDES[row["x"]]
        heard = row["heard"][slot + first]
        asked = (row["number"], row["kind"], row["item"], slot, condition, x, answer, heard, plays)
        when = (row["switches"], row["dwell_ms"], f"{row['shown_at']:.3f}", f"{row['answered_at']:.3f}")
        lines.append((*about, *asked, *when, " ".join(sorted(set(flags))), int(excluded)))
    return lines


def _webmushra(stored: StoredStudy, row: Mapping) -> list[tuple]:
    """A line per score; answers that are no scores have none."""
    votes = stored.study.task.votes(row) if row["kind"] == "trial" else []
    return [
        (stored.study.name, vote.rater, vote.item, vote.system, vote.score, row["dwell_ms"])
        for vote in votes
        if isinstance(vote, Rating)
    ]


def _write_jsonl(path: Path, stored: StoredStudy, rows: Sequence[Mapping], raters: Sequence[Mapping]) -> None:
    study = {
        "table": "study",
        "id": stored.public_id,
        "revision": stored.revision,
        **stored.study.shareable(),
    }
    stimuli = [{"table": "stimulus", **vars(stimulus)} for stimulus in stored.stimuli]
    lines = [study, *stimuli, *({"table": "rater", **r} for r in raters), *({"table": "answer", **r} for r in rows)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def _write_csv(path: Path, head: Sequence[str], lines) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for line in lines:
            writer.writerow([_inert(value) for value in line])


def _inert(value: object) -> object:
    """A text that a spreadsheet would take for a formula, made one that it shows."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
