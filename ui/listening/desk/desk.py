"""What the owner's desk does with a study, for those who have its key: every call asks for the key again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from eval.listening.analysis.alarm import Alarm
from eval.listening.desk.copies import duplicated, require_started, with_more_raters
from eval.listening.desk.progress import progress_of
from eval.listening.making.make_study import Made, make_study, read_clips
from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.every_trial import EveryTrial
from eval.listening.session.preview import Preview
from eval.listening.session.rehearsal import Rehearsal
from eval.listening.session.service import Listening
from eval.listening.storage.owning import StudyLine
from eval.listening.storage.records import StoredStudy
from eval.listening.storage.results_links import LINK_DAYS
from eval.listening.study import StudyError
from server.executor import Executor
from server.results import ResultStore
from server.shared_state import Limiter
from ui.background import Finished, followed
from ui.listening.desk.access import Access, Refused, client_of
from ui.listening.desk.panels import progress_panel
from ui.listening.desk.results import downloads, results_of
from vocoders.recordings.contained import read_recording_contained
from vocoders.systems import System


@dataclass(frozen=True)
class Asked:
    """Who asks about which study. request: the browser's, for its address."""

    public_id: str
    key: str
    request: gr.Request | None = None


class Desk:
    """The collaborators of the desk. Most methods raise `Refused`, `StudyError` and `StoreError`, whose messages are for people, and
    KeyError for a study that is gone."""

    def __init__(
        self,
        listening: Listening,
        data_dir: Path,
        systems: Sequence[System],
        files: ResultStore,
        compute: Executor,
        limiter: Limiter | None = None,
    ) -> None:
        """systems: of the catalogue; files: where downloads are put; compute: runs the heavy work; limiter: counts wrong keys."""
        self._data_dir, self._systems, self._files = data_dir, systems, files
        self._preview = Preview(listening)
        self._store, self._compute = listening.store, compute
        self._access = Access(listening.store, limiter)

    # ------------------------------------------------ looking

    def studies(self, asked: Asked) -> list[StudyLine]:
        """All that the key opens, or the one that is asked for."""
        if asked.public_id:
            self._open(asked)
            return self._store.overview([asked.public_id])
        return self._access.studies(asked.key, client_of(asked.request))

    def progress(self, asked: Asked) -> Markup:
        """HTML of the counts, as they are now."""
        stored = self._open(asked)
        found = progress_of(self._store, stored, time.time())
        links = [self._preview.link(asked.public_id, kind) for kind in (EveryTrial, Rehearsal)]
        return progress_panel(stored, found, *links)

    def revisions(self, asked: Asked) -> list[str]:
        """Public ids of the revisions that the key opens, oldest first."""
        self._open(asked)
        mine = {study.public_id for study in self._access.studies(asked.key, client_of(asked.request))}
        return [public_id for public_id in self._store.family(asked.public_id) if public_id in mine]

    def results(self, asked: Asked, together: bool = False) -> Markup:
        """HTML of the statistics, with downloads. together: with the other revisions."""
        public_ids = self.revisions(asked) if together else [asked.public_id]
        self._open(asked)
        results = results_of(self._store, self._systems, public_ids)
        return downloads(self._store, self._files, public_ids, results) + results.section

    def alarms(self, asked: Asked) -> list[Alarm]:
        """Those that the owner has not answered."""
        return [alarm for alarm in self._open(asked).alarms if alarm.excludes is None]

    # ------------------------------------------------ changing

    def answer_alarm(self, asked: Asked, rule: str, works: bool) -> None:
        """works: whether the raters failed the check, and are left out after all; else it is broken, and leaves nobody out."""
        if rule not in [alarm.rule for alarm in self.alarms(asked)]:
            raise Refused(f"There is no open alarm about {rule!r}.")
        self._store.answer_alarm(asked.public_id, rule, works)

    def toggle(self, asked: Asked) -> bool:
        """Closes an open study and opens a closed one; whether it is closed now."""
        closed = not self._open(asked).closed
        self._store.set_closed(asked.public_id, closed)
        return closed

    def more_raters(self, asked: Asked, raters: int) -> tuple[str, str]:
        """(public id, key) of a revision with the same sounds."""
        self._open(asked)
        return with_more_raters(self._store, asked.public_id, raters, self._own_key(asked))

    def more_clips(
        self, asked: Asked, files: Sequence[str], own: Sequence[System]
    ) -> Iterator[str | Finished[tuple[str, str]]]:
        """Renders a revision with other clips: sentences about the work, then (public id, key). own: systems of the session."""
        stored = self._open(asked)
        require_started(self._store, asked.public_id)
        systems = _systems_of(stored, [*self._systems, *own])
        clips = {Path(file).stem: Path(file) for file in files}
        if known := sorted(clips.keys() & set(stored.study.items)):
            raise StudyError(f"{', '.join(known)}: the study has a clip of this name already; give new ones only.")
        study = replace(stored.study, items=tuple(clips), trials=None, closes="")
        recordings = read_clips(clips, read_recording_contained)

        def work(report: Callable[[str], None]) -> Made:
            def tell(done: int, total: int, text: str) -> None:
                report(f"Output {min(done + 1, total)} of {total}: {text}")

            def render(*arguments) -> tuple:
                *given, told = arguments
                return self._compute.run(render_stimuli, *given, on_report=told)

            key = self._own_key(asked)
            return make_study(
                self._store, self._data_dir, study, recordings, systems, tell, asked.public_id, render, key
            )

        for event in followed(work):
            if isinstance(event, Finished):
                self._store.set_closed(asked.public_id, True)
                yield Finished((event.result.public_id, event.result.key))
            else:
                yield event

    def duplicate(self, asked: Asked) -> tuple[str, str]:
        """(public id, key) of another study with the same sounds."""
        self._open(asked)
        return duplicated(self._store, asked.public_id)

    def delete(self, asked: Asked, typed: str) -> str:
        """Deletes the study with all answers; returns its name. typed: has to be this name."""
        name = self._open(asked).study.name
        if typed.strip() != name.strip():
            raise Refused("Nothing was deleted: type the name of the study exactly as it stands above.")
        self._store.delete_study(asked.public_id)
        return name

    # ------------------------------------------------ links

    def link(self, asked: Asked, days: int | None = LINK_DAYS) -> tuple[str, float | None]:
        """(address of a new link to the results, relative to the page; its end in seconds since 1970). days: as of the store."""
        self._open(asked)
        token, ends = self._store.add_results_link(asked.public_id, days)
        return f"study/{token}", ends

    def links(self, asked: Asked) -> list[float | None]:
        """The ends of those that are valid, in seconds since 1970."""
        self._open(asked)
        return self._store.results_links(asked.public_id)

    def revoke(self, asked: Asked) -> int:
        """Ends all links to the results; how many were valid."""
        self._open(asked)
        return self._store.revoke_results_links(asked.public_id)

    # ------------------------------------------------ keys

    def _open(self, asked: Asked) -> StoredStudy:
        self._access.require(asked.public_id, asked.key, client_of(asked.request))
        return self._store.study(asked.public_id)

    def _own_key(self, asked: Asked) -> str | None:
        """The key of the study, where it is this that opened it and not the administrator's."""
        return asked.key if self._store.has_key(asked.public_id, asked.key) else None


def _systems_of(stored: StoredStudy, known: Sequence[System]) -> list[System]:
    """Errors: `StudyError` for systems that cannot run here."""
    by_id = {system.id: system for system in known}
    if missing := [stored.titles.get(name, name) for name in stored.study.systems if name not in by_id]:
        raise StudyError(
            f"{', '.join(missing)}: outputs that were made elsewhere, or a checkpoint that this session does not have. Add it under "
            "Vocoders, or give the folders under Make a study, with this study's id as the one that is revised."
        )
    return [by_id[name] for name in stored.study.systems]
