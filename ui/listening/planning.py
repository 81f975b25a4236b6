"""The simulated plan on the page: how many raters find a difference, as a curve that the computing process draws up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import gradio as gr

from eval.listening.simulation.power_curve import Curve, power_curve
from eval.listening.study import StudyError
from eval.listening.tasks.registry import task_of
from eval.reports.plan import curve_drawing
from server.executor import ComputeError, Executor
from ui.background import Finished, enabled_after, followed
from ui.markup import fill, notice, slot

DEFAULT_CLIPS = 12  # of a form that has none yet


def lay_out_planning(
    mode: gr.Radio, clips_and_systems: Callable[..., tuple[int, int]], fields: Sequence, compute: Executor
) -> None:
    """A field for the difference, a button, and the curve. clips_and_systems: the numbers in the form, of the values of `fields`, of
    which the last one is the number of trials per rater."""
    task = task_of(mode.value)
    with gr.Row(equal_height=False):
        difference = gr.Number(
            task.difference, label=_label(mode.value), minimum=0, elem_id="study-difference", min_width=160
        )
        simulate = gr.Button("Simulate the plan", elem_id="study-simulate", min_width=160)
    curve = slot("study-curve")

    def run(mode: str, difference: float | None, *values: object) -> Iterator[dict]:
        clips, systems = clips_and_systems(*values)
        yield {simulate: gr.update(interactive=False), curve: notice("Simulating studies")}
        try:
            for html in _simulated(mode, clips or DEFAULT_CLIPS, difference, systems, compute):
                yield {curve: html}
        except (StudyError, ValueError, ComputeError) as error:
            yield {curve: notice(str(error), "bad")}

    options = {"show_progress": "hidden", "api_visibility": "private"}
    asked = [mode, difference, *fields]
    ran = simulate.click(run, asked, [curve, simulate], concurrency_id="plan", concurrency_limit=1, **options)
    enabled_after(ran, simulate)
    mode.change(_asked_of, mode, [difference, curve], queue=False, **options)


def _label(mode: str) -> str:
    return f"Difference to be found, {task_of(mode).effect_unit}"


def _asked_of(mode: str) -> tuple[dict, str]:
    return gr.update(value=task_of(mode).difference, label=_label(mode)), ""


def _simulated(mode: str, clips: int, difference: float | None, systems: int, compute: Executor) -> Iterator[str]:
    """HTML of the progress, then of the curve. Errors: as `power_curve`, `ComputeError`."""

    def work(report: Callable[[str], None]) -> Curve:
        def tell(done: int, total: int) -> None:
            report(f"Study {min(done + 1, total)} of {total}")

        return compute.run(simulated_curve, mode, clips, difference, systems, on_report=tell)

    for event in followed(work):
        yield curve_html(event.result) if isinstance(event, Finished) else notice(event)


def simulated_curve(
    mode: str, clips: int, difference: float | None, systems: int, report: Callable[[int, int], None]
) -> Curve:
    """The work of the computing process."""
    return power_curve(mode, clips, difference, systems or None, report=report)


def curve_html(curve: Curve) -> str:
    """The chart with what it says and assumes."""
    return fill("listening/templates/curve.html", curve=curve, drawing=curve_drawing(curve))
