"""Makes the same study again and again, each in a child that may be killed, without loading everything anew.

python -m tests.robustness.study_maker DATA_DIR: for every line on stdin a child, whose number goes to stdout, and then how it ended and the seconds of processor time it
took.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    from eval.listening.making.make_study import make_study
    from eval.listening.session.open import open_store
    from eval.listening.study import Study
    from tests.conftest import harmonic_tone
    from tests.robustness.studied_app import ITEMS, SYSTEMS
    from vocoders.audio import Recording
    from vocoders.catalogue import find_systems

    recordings = {item: Recording(item, harmonic_tone(1.6, 150 * (n + 1))) for n, item in enumerate(ITEMS)}
    data, systems = Path(sys.argv[1]), find_systems(SYSTEMS)
    for number, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            study = Study(f"Study {number}", "mushra", ITEMS, tuple(SYSTEMS.split(",")), traps=2)
            make_study(open_store(data), data, study, recordings, systems)
            os._exit(0)
        print(child, flush=True)
        _, status, used = os.wait4(child, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)


if __name__ == "__main__":
    main()
