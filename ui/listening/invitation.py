"""What the owner of a new study is given: its link, its key, and what was done to the outputs."""

from __future__ import annotations

from eval.listening.making.make_study import Made
from eval.listening.recruiting.launch import entry_address, launch_notes
from eval.listening.study import Study
from ui.listening.desk.panels import utc
from ui.markup import fill, notice

LOST = "Answers die with this server: it has no disk that stays, no DATABASE_URL and no LISTENING_DATASET."


def durability_warning(durable: bool) -> str:
    """HTML for whoever makes a study, before and after; empty where answers outlive the process."""
    return "" if durable else notice(LOST, "bad")


def invitation(made: Made, study: Study, durable: bool, rehearsal: str) -> str:
    """HTML with the link, the key, and the levels and delays of the outputs. rehearsal: address of a session that stores nothing."""
    return fill(
        "listening/templates/invitation.html",
        made=made,
        rehearsal=rehearsal,
        study=study,
        warning=durability_warning(durable),
        address=entry_address(made.public_id, study),
        notes=launch_notes(study),
        ends=utc(study.ends),
    )
