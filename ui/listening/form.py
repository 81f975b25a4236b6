"""What is filled in to make a study: the values of the fields, and the clips and systems that follow from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.compare.output_folder import AnySystem, OutputFolder
from eval.listening.making.make_study import read_clips
from eval.listening.making.outputs import OUTPUT_LIMITS
from eval.listening.recruiting.plain import Plain
from eval.listening.recruiting.terms import Exclude, Pay, Quotas, Recruiting
from eval.listening.study import Question, Study, StudyError
from eval.listening.tasks.registry import task_of
from ui.folders.layout import FoldersError, GivenFolders
from ui.folders.material import material_of, read_output
from vocoders.audio import Recording
from vocoders.systems import System

LABELS = {  # of fields whose values a platform checks, as the page has them
    "completed": "Code or address when they have finished",
    "screened_out": "Code or address when they are screened out",
    "quota_full": "Code or address when there is no place",
}
EVERYTHING = 0  # as the number of trials: all of them
MAX_STUDY_SECONDS = 1800.0  # of recordings and outputs in folders, which are held at once


@dataclass(frozen=True)
class Form:
    """The values of the fields, in their order on the page."""

    name: str
    mode: str
    files: list[str]
    with_compared: bool
    recording: str
    systems: list[str]
    raters: float
    trials: float
    repeats: float
    golds: float
    traps: float
    seed: float
    about: str
    questions: str
    revises: str
    key: str
    mid_anchor: bool = False
    comments: bool = False
    restart_on_switch: bool = False
    lock_sliders: bool = False
    between: str = ""
    between_every: float = 0
    owner: str = ""
    contact: str = ""
    keep_days: float = 0
    closes: str = ""
    platform: str = ""
    completed: str = ""
    screened_out: str = ""
    quota_full: str = ""
    places: float = 0
    pay: float = 0
    currency: str = ""
    headphones: bool = False
    parameter: str = "participant"
    excluded: str = ""
    quotas: str = ""
    earlier: str = ""

    def clips(self) -> dict[str, Path]:
        """{name: file}. Errors: `StudyError`."""
        paths = [*self.files, *([self.recording] if self.with_compared and self.recording else [])]
        if not paths:
            raise StudyError(
                "Add clips first: upload some, or folders of outputs, or put a recording into the Compare page."
            )
        found: dict[str, Path] = {}
        for path in map(Path, paths):
            name, number = path.stem, 2
            while name in found:
                name, number = f"{path.stem}-{number}", number + 1
            found[name] = path
        return found

    def study(self, items: Sequence[str], systems: Sequence[str], reference: bool = True) -> Study:
        """Errors: `StudyError`."""
        return Study(
            name=self.name.strip(),
            mode=self.mode,
            items=tuple(items),
            systems=tuple(systems),
            raters=int(self.raters or 0),
            trials=int(self.trials or EVERYTHING) or None,
            repeats=int(self.repeats or 0),
            golds=int(self.golds or 0),
            traps=int(self.traps or 0),
            seed=int(self.seed or 0),
            about=self.about.strip(),
            questions=parse_questions(self.questions),
            reference=reference,
            mid_anchor=bool(self.mid_anchor) and bool(task_of(self.mode).extra_anchors),
            comments=bool(self.comments),
            restart_on_switch=bool(self.restart_on_switch),
            lock_sliders=bool(self.lock_sliders),
            between=(between := parse_questions(self.between)),
            between_every=int(self.between_every or 0) if between else 0,
            owner=self.owner.strip(),
            contact=self.contact.strip(),
            keep_days=int(self.keep_days or 0) or None,
            closes=self.closes.strip(),
            recruiting=self.recruiting(),
        )

    def recruiting(self) -> Recruiting | None:
        """None where listeners come by the link alone. Errors: `StudyError`."""
        if not self.platform:
            return None
        try:
            terms = Recruiting(
                self.platform,
                self.completed.strip(),
                self.screened_out.strip(),
                self.quota_full.strip(),
                parameters={"participant": self.parameter.strip()} if self.platform == Plain.id else {},
                exclude=Exclude(
                    tuple(filter(None, map(str.strip, self.excluded.splitlines()))),
                    tuple(public_id for public_id, _ in parse_studies(self.earlier)),
                ),
                quotas=Quotas(int(self.places or 0) or None, parse_quotas(self.quotas)),
                pay=Pay(float(self.pay), self.currency.strip().upper()) if self.pay else None,
                headphones=bool(self.headphones),
            )
            terms.check_questions(parse_questions(self.questions))
            return terms
        except ValueError as error:
            field, _, reason = str(error).partition(": ")
            raise StudyError(f"{LABELS.get(field, f'Recruiting: {field}')}: {reason}.") from error


def parse_questions(text: str) -> tuple[Question, ...]:
    """A question per line; behind a bar its choices: "What did you use? | headphones, loudspeakers"."""
    questions: list[Question] = []
    for line in filter(None, map(str.strip, (text or "").splitlines())):
        words, _, given = line.partition("|")
        question_id = _id_of(words) or f"question-{len(questions) + 1}"
        questions.append(Question(question_id, words.strip(), tuple(filter(None, map(str.strip, given.split(","))))))
    return tuple(questions)


def parse_studies(text: str) -> list[tuple[str, str]]:
    """(public id, key) of lines with both, a space between them. Errors: ValueError."""
    lines = [line.split() for line in (text or "").splitlines() if line.strip()]
    if wrong := next((words for words in lines if len(words) != 2), None):
        raise ValueError(f"earlier studies: {' '.join(wrong)!r}: write the id of the study, a space, and its key")
    return [(public_id, key) for public_id, key in lines]


def parse_quotas(text: str) -> dict[str, dict[str, int]]:
    """{id of a question: {choice: places}} of lines such as "What did you use? | headphones = 20, loudspeakers = 10".

    Errors: ValueError.
    """
    quotas: dict[str, dict[str, int]] = {}
    for line in filter(None, map(str.strip, (text or "").splitlines())):
        words, _, given = line.partition("|")
        places = quotas.setdefault(_id_of(words), {})
        for part in filter(None, map(str.strip, given.split(","))):
            choice, _, count = map(str.strip, part.rpartition("="))
            if not choice or not re.fullmatch("[0-9]{1,6}", count):
                raise ValueError(f"quotas: {part!r} is no number of places; write: choice = places")
            places[choice] = int(count)
        if not places:
            raise ValueError(f"quotas: {line!r} says no places; write: question | choice = places, choice = places")
    return quotas


def _id_of(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40]


@dataclass(frozen=True)
class Sources:
    """What a study is rendered from. recordings: {item: recording}; none where outputs are compared with each other only."""

    items: tuple[str, ...]
    recordings: Mapping[str, Recording]
    systems: tuple[AnySystem, ...]

    @property
    def has_reference(self) -> bool:
        """Whether the recordings are there."""
        return bool(self.recordings)


def sources_of_clips(form: Form, own: Sequence[System], read: Callable[..., Recording]) -> Sources:
    """Clips through systems that run here. read: as `read_recording`. Errors: `StudyError`, `AudioError`."""
    clips = form.clips()
    form.study(list(clips), [system.id for system in own])  # says what is wrong before anything is read
    return Sources(tuple(clips), read_clips(clips, read), tuple(own))


def sources_of_folders(
    form: Form, given: GivenFolders, reference: str | None, own: Sequence[System], read: Callable[..., Recording]
) -> Sources:
    """Folders of outputs, with their recordings or without; the clips are those of which every folder has an output.

    Errors: `StudyError`; `AudioError` naming the file.
    """
    if form.files or form.with_compared:
        raise StudyError("Give either clips or folders: the clips of a study of folders are those in the folders.")
    try:
        material = material_of(given, reference or None)
    except FoldersError as error:
        raise StudyError(str(error)) from error
    if not (items := material.complete):
        raise StudyError("There is no clip of which every folder has an output.")
    if own and not material.has_reference:
        raise StudyError(
            "Without a folder of recordings the lab's systems have nothing to resynthesize: choose none of them."
        )
    ids = [*(system.id for system in material.systems), *(system.id for system in own)]
    form.study(items, ids, material.has_reference)
    recordings = read_clips({item: material.clips[item] for item in items}, read) if material.has_reference else {}
    systems = tuple(_decoded(system, items, read) for system in material.systems)
    decoded = [recording for system in systems for _, recording in system.decoded]
    seconds = sum(recording.seconds for recording in [*recordings.values(), *decoded])
    if seconds > MAX_STUDY_SECONDS:
        raise StudyError(
            f"The folders hold {seconds / 60:.0f} minutes of sound; a study of at most {MAX_STUDY_SECONDS / 60:g} is made here."
        )
    return Sources(tuple(items), recordings, (*systems, *own))


def _decoded(system: OutputFolder, items: Sequence[str], read: Callable[..., Recording]) -> OutputFolder:
    found = [read_output(system, item, lambda path, name: read(path, OUTPUT_LIMITS, name)) for item in items]
    if reasons := [reason for output in found for _, reason in output.missing]:
        raise StudyError(reasons[0])
    return replace(system, decoded=tuple(pair for output in found for pair in output.decoded))


def count_clips(given: GivenFolders | None, reference: str | None) -> tuple[int, list[str]]:
    """How many clips a study of these folders has, and the ids of its systems; none for folders that cannot be used."""
    if given is None:
        return 0, []
    try:
        material = material_of(given, reference or None)
    except FoldersError:
        return 0, []
    return len(material.complete), [system.id for system in material.systems]
