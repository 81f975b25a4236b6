"""Any other site: ids in parameters that the study names, and an address for each outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from eval.listening.recruiting.addresses import check_template, fill_template
from eval.listening.recruiting.platform import OUTCOMES, Outcome, Platform, Visit, WayBack

if TYPE_CHECKING:
    from eval.listening.recruiting.terms import Recruiting

RESERVED = ("study", "preview", "privacy", "page", "view")  # of the rating page itself, and of Gradio


class Plain(Platform):
    """`completed` and the others are addresses, with {participant}, {session} and {code} in them."""

    id = "plain"
    title = "Any site"
    about = (
        "Participants bring an id in a parameter of the address that you name, and return to addresses that you give."
    )

    def check(self, terms: Recruiting) -> None:
        known = [field.name for field in fields(Visit) if field.name != "server"]
        for field, name in terms.parameters.items():
            if field not in known:
                raise ValueError(f"parameters: {field!r} is unknown; there are {', '.join(known)}")
            if not name.isidentifier() or not name.isascii() or name in RESERVED:
                raise ValueError(f"parameters: {name!r} cannot be the {field}'s; allowed: letters, digits and _")
        if len(set(terms.parameters.values())) < len(terms.parameters):
            raise ValueError("parameters: each id needs a parameter of its own")
        for outcome in OUTCOMES:
            if template := getattr(terms, outcome):
                check_template(outcome, template)

    def parameters(self, terms: Recruiting) -> Mapping[str, str]:
        return terms.parameters

    def way_back(self, terms: Recruiting, outcome: Outcome, visit: Visit | None, code: str) -> WayBack:
        template = getattr(terms, outcome)
        ids = visit or Visit("")
        values = {"participant": ids.participant, "session": ids.session, "code": code}
        return WayBack(code, fill_template(template, values) if template else "")

    def entry(self, terms: Recruiting) -> str:
        return "".join(f"&{name}=..." for name in terms.parameters.values())
