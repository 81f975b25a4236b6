"""The passage of a long recording: Python's half. The browser's half is assets/passage.js."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr

from ui.background import Finished, followed
from ui.markup import notice
from vocoders.recordings.contained import overview_contained
from vocoders.recordings.overview import Overview
from vocoders.recordings.passage import Passage, clock
from vocoders.recordings.reader import AudioError, Limits

_MOUNT = """
import(new URL('gradio_api/file=assets/passage.js', document.baseURI)).then(({ mount }) => {
  const chooser = mount(element.querySelector('.lab-passage-host'), (value) => { props.value = value; });
  chooser.update(props.value);
  watch('value', () => chooser.update(props.value));
});
"""


def passage_chooser() -> gr.HTML:
    """The component: hidden until a recording is longer than what is used of one. Its value is for `chosen_passage`."""
    return gr.HTML(
        html_template='<div class="lab-passage-host" hidden></div>',
        js_on_load=_MOUNT,
        apply_default_css=False,
        padding=False,
        elem_id="passage",
        elem_classes="page-passage",
    )


def chosen_passage(value: object, path: str | None) -> Passage | None:
    """The passage that was chosen in this recording; None for all of it, also when the value is another recording's, or none at all."""
    if not isinstance(value, dict) or not path or value.get("file") != _key(path):
        return None
    start, end, seconds = (value.get(name) for name in ("start", "end", "seconds"))
    if not (isinstance(start, int | float) and isinstance(end, int | float) and isinstance(seconds, int | float)):
        return None
    return Passage(round(start, 3), round(end, 3)) if 0 <= start < end <= seconds else None


def looker(limits: Limits) -> Callable[[str | None], Iterator[tuple]]:
    """The handler of a recording: -> updates of a message and of the chooser."""

    def look(path: str | None) -> Iterator[tuple]:
        if not path:
            yield "", None
            return

        def work(tell: Callable[[float], None]) -> Overview:
            return overview_contained(Path(path), limits, None, tell)

        try:
            for event in followed(work):
                if isinstance(event, Finished):
                    yield "", _value(event.result, path, limits)
                else:
                    yield notice(f"Reading the file: {clock(event)} so far", "waiting"), gr.skip()
        except AudioError as error:
            yield notice(str(error), "bad"), None

    return look


def _value(overview: Overview, path: str, limits: Limits) -> dict | None:
    """None for a recording that is used as a whole."""
    if overview.seconds <= limits.max_seconds:
        return None
    return {
        "file": _key(path),
        "seconds": round(overview.seconds, 2),
        "peaks": [round(float(peak), 3) for peak in overview.peaks],
        "start": overview.loudest.start,
        "end": overview.loudest.end,
        "shortest": max(1.0, limits.min_seconds),
        "longest": limits.max_seconds,
    }


def _key(path: str) -> str:
    return hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
