"""The results of a study, as HTML and as files, for holders of its key and of a link to its results."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cachetools import TTLCache
from markupsafe import Markup

from eval.listening.analysis.export import export_study
from eval.listening.analysis.results import analyse
from eval.listening.desk.pooling import pool
from eval.listening.storage.store import Store
from eval.reports.study import study_report, study_results
from server.results import ResultStore
from ui.markup import fill, inert
from vocoders.systems import System

MAX_REPORT_AGE_SECONDS = 60.0  # of a linked report: how often its statistics are computed, whoever asks
MAX_REPORTS = 50  # of linked ones that are kept


@dataclass(frozen=True)
class Results:
    """found: of `analyse`; titles: {system id: title}; about: {system id: a sentence}."""

    found: Mapping
    titles: Mapping[str, str]
    about: Mapping[str, str]

    @property
    def report(self) -> str:
        """A whole HTML document, without ids of raters."""
        return study_report(self.found, self.titles, self.about)

    @property
    def section(self) -> Markup:
        """For the page."""
        return inert(study_results(self.found, self.titles, self.about))


def results_of(store: Store, systems: Sequence[System], public_ids: Sequence[str]) -> Results:
    """Of one study, or of several revisions taken together. Errors: `StudyError`, `StoreError`; KeyError for an unknown one."""
    revisions = [store.study(public_id) for public_id in public_ids]
    pooled = pool(store, revisions)
    titles = {system.id: system.title for system in systems} | dict(pooled.stored.titles)
    about = {system.id: system.about for system in systems}
    return Results(analyse(pooled.stored, pooled.rows, pooled.raters), titles, about)


def downloads(store: Store, files: ResultStore, public_ids: Sequence[str], results: Results) -> Markup:
    """Links to the report, the statistics, all answers, and those that screening keeps."""
    folder = files.new()
    (folder.path / "report.html").write_text(results.report, encoding="utf-8")
    content = json.dumps(results.found, indent=2, ensure_ascii=False)
    (folder.path / "results.json").write_text(content + "\n", encoding="utf-8")
    for name, clean in (("answers", False), ("clean-answers", True)):
        for public_id in public_ids:
            below = folder.path / name / (public_id if len(public_ids) > 1 else "")
            export_study(store, public_id, Path(below), clean=clean)
        shutil.make_archive(str(folder.path / name), "zip", folder.path / name)
    titles = {
        "report.html": "Report",
        "results.json": "Statistics: JSON",
        "answers.zip": "Answers: CSV, JSON lines, webMUSHRA",
        "clean-answers.zip": "Answers after screening",
    }
    return fill("templates/downloads.html", files=[(folder.url(name), name, title) for name, title in titles.items()])


class LinkedReports:
    """Reports behind links to results: computed at most once in `MAX_REPORT_AGE_SECONDS`. Thread-safe."""

    def __init__(self, store: Store, systems: Sequence[System]) -> None:
        self._store, self._systems, self._lock = store, systems, threading.Lock()
        self._reports: TTLCache[str, str] = TTLCache(MAX_REPORTS, MAX_REPORT_AGE_SECONDS)

    def find(self, token: str) -> str | None:
        """A whole HTML document; None for an unknown or revoked link. Errors: `ExpiredLink`, `StoreError`."""
        public_id = self._store.linked_study(token)
        if public_id is None:
            return None
        with self._lock:  # one computation, however many ask at once
            if public_id not in self._reports:
                self._reports[public_id] = results_of(self._store, self._systems, [public_id]).report
            return self._reports[public_id]
