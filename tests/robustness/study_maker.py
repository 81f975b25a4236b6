"""Makes one study, and may be killed meanwhile.

python -m tests.robustness.study_maker DATA_DIR NAME
"""

from __future__ import annotations

import sys
from pathlib import Path

from eval.listening.making.make_study import make_study
from eval.listening.session.open import open_store
from eval.listening.study import Study
from tests.signals import harmonic_tone
from vocoders.audio import Recording
from vocoders.catalogue import find_systems

SYSTEMS = "griffin-lim,griffin-lim-oracle"
ITEMS = ("one", "two")


def recordings() -> dict[str, Recording]:
    return {item: Recording(item, harmonic_tone(1.6, 150 * (n + 1))) for n, item in enumerate(ITEMS)}


def main() -> None:
    data, name = Path(sys.argv[1]), sys.argv[2]
    study = Study(name, "mushra", ITEMS, tuple(SYSTEMS.split(",")), traps=2)
    make_study(open_store(data), data, study, recordings(), find_systems(SYSTEMS))


if __name__ == "__main__":
    main()
