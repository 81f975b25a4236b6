"""The values that the store reads and writes: studies with their stimuli, raters with their plans, trials as shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eval.listening.analysis.alarm import Alarm
from eval.listening.study import Study
from eval.listening.trial import Trial

TITLE_OF = "title "  # before a system's id, in what is stored with a study about its making
COMMENT = "comment "  # the kind of event of a listener's comment; the trial's number follows
DECIDED = "decided"  # the event of a session that ended before its plan did: every question was decided
OLDER_RATE = 22_050  # Hz
COMPLETED, SCREENING, TURNED_AWAY = "completed", "screening", "turned-away"  # kinds of events of a rater
ALARM_ANSWERED = "alarm-answered"  # kind of event of a study


@dataclass(frozen=True)
class Stimulus:
    """One sound as it is played. made: rate in Hz, levels, gain, delay, polarity; metrics: its values against the recording."""

    item: str
    condition: str
    sha256: str
    seconds: float
    made: Mapping[str, float | int | bool | None]
    metrics: Mapping[str, float | None]

    @property
    def sample_rate(self) -> int:
        """Hz, of its wav; studies that do not name it were made at 22 050 Hz."""
        return int(self.made.get("sample_rate") or OLDER_RATE)


@dataclass(frozen=True)
class StoredStudy:
    """A study as one revision of it is stored, with its stimuli. number: of the row in the database. titles: {system: its title when
    the study was made}; older studies have none. versions: of the program and its libraries, and what the outputs were made by and
    of. created: seconds since 1970."""

    number: int
    public_id: str
    revision: int
    study: Study
    stimuli: tuple[Stimulus, ...]
    closed: bool
    titles: Mapping[str, str] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    created: float = 0.0

    @property
    def ends(self) -> float | None:
        """As `Study.ends`."""
        return self.study.ends

    @property
    def suspended(self) -> frozenset[str]:
        """Rules that exclude nobody now, because of an alarm."""
        return frozenset(alarm.rule for alarm in self.alarms if alarm.suspends)

    def stimulus(self, item: str, condition: str) -> Stimulus:
        """The sound of a condition of a clip; there is one of each."""
        return next(s for s in self.stimuli if (s.item, s.condition) == (item, condition))


@dataclass(frozen=True)
class Rater:
    """One session: the rater's design row and the trials that follow from it. code: shown at the end, proves participation.
    language: tag of the page's, "" where there is none."""

    id: str
    study: int
    public_id: str  # of the study
    row: int
    plan: tuple[Trial, ...]
    code: str
    language: str = ""

    @property
    def is_admitted(self) -> bool:
        """Whether the design row is drawn; before, there are no trials."""
        return self.row >= 0


@dataclass(frozen=True)
class ShownTrial:
    """A trial that was shown to a rater. nonce: the token that its answer must carry; since: time of its first showing."""

    number: int
    nonce: str
    trial: Trial
    since: float
