"""The interface of a recruiting platform: the ids that an address brings, and the way back.

A platform is a class without state in a file of its own, registered in `registry.py` by the id that studies store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from eval.listening.recruiting.addresses import check_id, host_of

if TYPE_CHECKING:
    from eval.listening.recruiting.terms import Recruiting

Outcome = Literal["completed", "screened_out", "quota_full"]  # of a participation; fields of `Recruiting`
OUTCOMES: tuple[Outcome, ...] = ("completed", "screened_out", "quota_full")


@dataclass(frozen=True)
class Visit:
    """The ids of one arrival. server: the address that a form goes to, of platforms that have several."""

    participant: str
    study: str = ""
    session: str = ""
    server: str = ""


@dataclass(frozen=True)
class WayBack:
    """code: to be copied, "" for none; url: "" where there is none; fields: of the form to post there, None for a link."""

    code: str = ""
    url: str = ""
    fields: Mapping[str, str] | None = None

    def as_step(self) -> dict:
        """What the page needs of it."""
        return {"code": self.code, "url": self.url, "host": host_of(self.url), "fields": self.fields}


class Platform(ABC):
    """Everything that differs between platforms."""

    id: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]  # one sentence for the owner of a study
    form_targets: ClassVar[tuple[str, ...]] = ()  # origins that the end page posts a form to
    framed_by: ClassVar[tuple[str, ...]] = ()  # origins that show the rating page in a frame

    @abstractmethod
    def check(self, terms: Recruiting) -> None:
        """Errors: ValueError for codes and addresses that the platform has no use for."""

    @abstractmethod
    def parameters(self, terms: Recruiting) -> Mapping[str, str]:
        """{field of `Visit`: parameter of the address}; without `participant` nobody is told from another."""

    def is_preview(self, address: Mapping[str, str]) -> bool:
        """Whether somebody only looks at the study. address: the parameters it was opened with."""
        return False

    def visit(self, terms: Recruiting, address: Mapping[str, str]) -> Visit | None:
        """None where the address brings no participant. Errors: ValueError for an id that cannot be one."""
        names = self.parameters(terms)
        found = {field: address[name] for field, name in names.items() if address.get(name)}
        if "participant" not in found:
            return None
        return Visit(**{field: check_id(names[field], value) for field, value in found.items()})

    @abstractmethod
    def way_back(self, terms: Recruiting, outcome: Outcome, visit: Visit | None, code: str) -> WayBack:
        """code: the session's own, which is stored with the answers."""

    def entry(self, terms: Recruiting) -> str:
        """The end of the address that the owner gives to the platform, from its first & on."""
        return ""
