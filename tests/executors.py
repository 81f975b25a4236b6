"""What every executor of heavy work has to do."""

from pathlib import Path

import pytest

from server.executor import Executor
from tests import jobs
from tests.waiting import until


def assert_unwanted_work_ends(executor: Executor, folder: Path) -> None:
    """Work whose reports are answered by an error comes to its end, and the error comes back."""

    class Enough(Exception):
        pass

    def stop_soon():
        if (folder / "marks").stat().st_size > 5:
            raise Enough

    with pytest.raises(Enough):
        executor.run(jobs.endless, folder / "marks", folder / "ended", on_report=stop_soon)
    until((folder / "ended").exists, "the work has ended")
