"""What the owner of a new study is given: its link, its key, and what was done to the outputs."""

from __future__ import annotations

from eval.listening.making.make_study import Made
from eval.listening.recruiting.launch import entry_address, launch_notes
from eval.listening.study import Study
from ui.markup import fill, notice


def invitation(made: Made, study: Study, durable: bool) -> str:
    """HTML with the link, the key, and the levels and delays of the outputs."""
    lost = "Answers die with this server: it has no disk that stays, no DATABASE_URL and no LISTENING_DATASET."
    warning = "" if durable else notice(lost, "bad")
    return fill(
        "listening/templates/invitation.html",
        made=made,
        study=study,
        warning=warning,
        address=entry_address(made.public_id, study),
        notes=launch_notes(study),
    )
