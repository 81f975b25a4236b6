"""The tables of the listening studies, for SQLite and PostgreSQL alike. Rows are added, never changed; a later change
of a rater or a study is a row in `event`. Exceptions are what a rater has before the first trial (the design row, where a study screens
its raters) and what only the present visit knows (`participant`, `place`). Deleted as a whole are a study that is replaced before
its first rater or that its owner deletes, a rater who asks for it or whose time is over, and links to results that are revoked."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()


def _id() -> Column:
    return Column("id", Integer, primary_key=True)


study = Table(
    "study",
    metadata,
    _id(),
    Column("public_id", String(32), nullable=False, unique=True),  # in the raters' link; unguessable
    Column("key_hash", String(64), nullable=False),  # SHA-256 of the key to the results
    Column("revision", Integer, nullable=False),
    Column("revises", ForeignKey("study.id")),
    Column("config", JSON, nullable=False),
    Column("config_sha256", String(64), nullable=False),
    Column("versions", JSON, nullable=False),  # of the app, its libraries and the checkpoints
    Column("created", Float, nullable=False),  # s since 1970, as all times here
)
wav_file = Table(  # the stimuli; conditions with equal samples share one
    "take",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("wav", LargeBinary, nullable=False),
)
stimulus = Table(
    "stimulus",
    metadata,
    _id(),
    Column("study_id", ForeignKey("study.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("item", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("sha256", ForeignKey("take.sha256"), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("made", JSON, nullable=False),  # levels, gain, delay, polarity
    Column("metrics", JSON, nullable=False),
    UniqueConstraint("study_id", "item", "condition"),
)
rater = Table(
    "rater",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("study_id", ForeignKey("study.id"), nullable=False, index=True),
    Column("row", Integer, nullable=False),  # of the design; below 0: not yet drawn, no trials yet
    Column("plan", JSON, nullable=False),  # the whole session, so that another version of this program cannot change it
    Column("language", String(16), nullable=False),
    Column("device", JSON, nullable=False),
    Column("code", String(16), nullable=False),  # shown at the end
    Column("created", Float, nullable=False),
    UniqueConstraint("study_id", "row"),
)
trial = Table(
    "trial",
    metadata,
    _id(),
    Column("rater_id", ForeignKey("rater.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # in the plan, from 0
    Column("nonce", String(32), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("item", Text, nullable=False),
    Column("shown", JSON, nullable=False),  # conditions in the order of the slots
    Column("x", Integer),
    Column("created", Float, nullable=False),
    UniqueConstraint("rater_id", "number"),
)
response = Table(
    "response",
    metadata,
    _id(),
    Column("trial_id", ForeignKey("trial.id", ondelete="CASCADE"), nullable=False, unique=True),  # one answer, once
    Column("answer", JSON, nullable=False),
    Column("heard", JSON, nullable=False),  # seconds of every slot that were played
    Column("plays", JSON, nullable=False),
    Column("switches", Integer, nullable=False),
    Column("dwell_ms", Integer, nullable=False),
    Column("created", Float, nullable=False),
)
flag = Table(
    "flag",
    metadata,
    _id(),
    Column("rater_id", ForeignKey("rater.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("rule", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("created", Float, nullable=False),
)
event = Table(
    "event",
    metadata,
    _id(),
    Column("study_id", ForeignKey("study.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("rater_id", ForeignKey("rater.id", ondelete="CASCADE"), index=True),
    Column(
        "kind", String(24), nullable=False
    ),  # volume, headphones, instructions, questionnaire, decided; closed, reopened
    Column("data", JSON, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("rater_id", "kind"),
)
participant = Table(  # raters whom a platform sent; the only table with ids of people
    "participant",
    metadata,
    _id(),
    Column("study_id", ForeignKey("study.id", ondelete="CASCADE"), nullable=False),
    Column("rater_id", ForeignKey("rater.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("participant", String(128), nullable=False),  # as the platform gave it
    Column("platform_study", String(128), nullable=False),
    Column("platform_session", String(128), nullable=False),  # of the last visit, as the next
    Column("server", String(128), nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("study_id", "participant"),  # one participation
)
place = Table(  # of a study's quotas
    "place",
    metadata,
    Column("rater_id", ForeignKey("rater.id", ondelete="CASCADE"), primary_key=True),
    Column("study_id", ForeignKey("study.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("attributes", JSON, nullable=False),  # {id of a question: choice}, of the questions that have quotas
    Column("taken", Float, nullable=False),
)
alarm = Table(  # about a check that an implausible share of raters fails; what the owner says to it is an event
    "alarm",
    metadata,
    _id(),
    Column("study_id", ForeignKey("study.id", ondelete="CASCADE"), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("raters", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("expected", Float, nullable=False),  # share
    Column("created", Float, nullable=False),
    UniqueConstraint("study_id", "rule"),
)
deletion = Table(  # raters of whom nothing is left; a backup made before is restored without them
    "deletion",
    metadata,
    _id(),
    Column("rater_sha256", String(64), nullable=False, unique=True),
    Column("created", Float, nullable=False),
)
results_link = Table(  # a link that shows the results, and nothing else, to those who have no key
    "results_link",
    metadata,
    _id(),
    Column("study_id", ForeignKey("study.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256
    Column("created", Float, nullable=False),
)
results_link_end = Table(  # of links that have one
    "results_link_end",
    metadata,
    Column("link_id", ForeignKey("results_link.id", ondelete="CASCADE"), primary_key=True),
    Column("ends", Float, nullable=False),
)
