"""Kills, one process of the app and one worker at a time, at even intervals, and what was killed is started again at once.

A process of the app is killed only where another one is up: of a machine so slow that all of them are still starting, nothing could be
learned.
"""

from __future__ import annotations

import threading

from deploy.endurance.service import Service


def kill_until(service: Service, every: float, ended: threading.Event, most: int | None = None) -> None:
    """Every `every` seconds the next process of the app, and half of that later the next worker. most: kills of each."""
    done = 0
    while most is None or done < most:
        for programs in (service.apps, service.workers):
            if ended.wait(every / 2):
                return
            program = programs[done % len(programs)]
            while program in service.apps and not any(app.is_up for app in service.apps if app is not program):
                if ended.wait(1.0):
                    return
            program.kill()
            program.start_again()
        done += 1
