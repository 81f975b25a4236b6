"""The Compare page: a recording in, every system side by side."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr

from eval.comparison import quick_first
from eval.pitch import cached_track, tracker_missing
from eval.spectrogram import mel_png
from ui.compare_job import CompareJob, View
from ui.examples import FROM_LIBROSA, SHIPPED, Example, ExampleUnreachable
from ui.markup import escape, notice, slot
from ui.pitch_panel import pitch_panel
from ui.player import player_component
from ui.refinement_panel import refinement_panel
from ui.results import ResultStore
from ui.tables import level_table, metric_table
from ui.uploads import Upload
from vocoders.audio import Recording
from vocoders.features import hw2_mel, log_hw2
from vocoders.intake import AudioError, Limits, read_recording
from vocoders.systems import System

QUEUE = "compute"  # everything heavy shares one queue
DEFAULTS = {
    "griffin-lim-oracle",
    "griffin-lim",
    "hifigan-hw2",
    "hifigan-original",
    "hifigan-original-bridged",
    "hifigan-original-refined",
    "hifigan-hw2-refined",
}


class Running:
    """The comparison each browser session is running, so that it can be stopped, or replaced by the next one."""

    def __init__(self) -> None:
        self._flags: dict[str, threading.Event] = {}

    def start(self, session: str) -> threading.Event:
        """The flag that stops the new comparison; the one before is stopped now."""
        self.stop(session)
        self._flags[session] = threading.Event()
        return self._flags[session]

    def stop(self, session: str) -> None:
        if flag := self._flags.get(session):
            flag.set()

    def is_newest(self, session: str, flag: threading.Event) -> bool:
        return self._flags.get(session) is flag

    def end(self, session: str, flag: threading.Event) -> None:
        flag.set()
        if self.is_newest(session, flag):
            del self._flags[session]


def compare_tab(systems: Sequence[System], store: ResultStore, limits: Limits, uploads: gr.State) -> gr.CheckboxGroup:
    """Lays the tab out and wires it. Returns the selection, so that other tabs can add systems to it."""
    running = Running()
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            audio = gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                label=f"Recording: WAV, FLAC, OGG or MP3, up to {limits.max_seconds:g} s",
                elem_id="recording",
                editable=False,
            )
            with gr.Row(elem_classes="page-examples"):
                shipped = [gr.Button(example.title, size="sm") for example in SHIPPED]
            with gr.Accordion("More examples, fetched on demand from librosa", open=False), gr.Row():
                fetched = [gr.Button(example.title, size="sm") for example in FROM_LIBROSA]
        with gr.Column(scale=4, min_width=300):
            choice = gr.CheckboxGroup(choices(systems), value=defaults(systems), label="Systems", elem_id="systems")
            slot("missing", missing_note(systems))
            with gr.Row():
                start = gr.Button("Compare", variant="primary", elem_id="compare", scale=3)
                stop = gr.Button("Stop", elem_id="stop", scale=1, min_width=80)
    message = slot("message")
    intake = slot("intake")
    player = player_component()
    metrics = slot("metrics")
    pitch = slot("pitch")
    refinement = slot("refinement")
    downloads = slot("downloads")
    with gr.Accordion("Levels: what loudness matching does", open=False, visible=False) as levels_box:
        levels = slot("levels")

    def run(path: str | None, chosen: list[str], own: tuple[Upload, ...], request: gr.Request) -> Iterator[dict]:
        selected = [system for system in [*systems, *(upload.system() for upload in own)] if system.id in set(chosen)]
        if reason := refusal(path, selected):
            yield {message: notice(reason, "bad")}
            return
        try:
            recording = read_recording(path, limits)
        except AudioError as error:
            yield {message: notice(str(error), "bad")}
            return
        yield {message: "", intake: intake_note(recording), pitch: "", refinement: "", downloads: ""}
        session = request.session_hash or ""
        flag = running.start(session)
        shown = -1
        try:
            for view in CompareJob(recording, quick_first(selected), store.new()).run(flag):
                if not running.is_newest(session, flag):
                    return  # the page belongs to the next comparison now
                changes = {player: view.player}
                if len(view.takes) != shown or view.archive:
                    shown = len(view.takes)
                    changes |= {metrics: metric_table(view.takes), downloads: download_links(view)}
                    changes |= {pitch: pitch_of(recording, view), refinement: refinement_panel(view.takes)}
                    changes |= {levels: levels_of(view), levels_box: gr.update(visible=True)}
                yield changes
        finally:
            running.end(session, flag)

    def halt(request: gr.Request) -> None:
        running.stop(request.session_hash or "")

    outputs = [message, intake, player, metrics, pitch, refinement, downloads, levels, levels_box]
    job = {
        "fn": run,
        "inputs": [audio, choice, uploads],
        "outputs": outputs,
        "concurrency_id": QUEUE,
        "concurrency_limit": 2,
        "show_progress": "hidden",
    }
    start.click(**job, api_name="compare")
    stop.click(halt, queue=False, api_visibility="private")
    for button, example in zip([*shipped, *fetched], [*SHIPPED, *FROM_LIBROSA]):
        loaded = button.click(
            _loader(example), outputs=[audio, message, button], show_progress="minimal", api_visibility="private"
        )
        loaded.success(**job, api_visibility="private")
    return choice


def _loader(example: Example):
    def load() -> tuple:
        try:
            return str(example.fetch()), "", gr.skip()
        except ExampleUnreachable as error:
            return (
                gr.skip(),
                notice(str(error), "bad"),
                gr.update(interactive=False, value=f"{example.title}: unreachable"),
            )

    return load


def choices(systems: Sequence[System]) -> list[tuple[str, str]]:
    return [(system.title, system.id) for system in systems if not system.why_not()]


def defaults(systems: Sequence[System]) -> list[str]:
    return [system.id for system in systems if system.id in DEFAULTS and not system.why_not()]


def missing_note(systems: Sequence[System]) -> str:
    """Which systems cannot run and why, one sentence per reason."""
    titles: dict[str, list[str]] = {}
    for system in systems:
        if reason := system.why_not():
            titles.setdefault(reason, []).append(system.title)
    sentences = [f"{escape('; '.join(names))}: {escape(reason)}." for reason, names in titles.items()]
    return f'<p class="page-note">{" ".join(sentences)}</p>' if sentences else ""


def refusal(path: str | None, selected: Sequence[System]) -> str | None:
    if not path:
        return "Give a recording first: upload a file, use the microphone, or press an example."
    if not selected:
        return "Choose at least one system to compare with the recording."
    return None


def intake_note(recording: Recording) -> str:
    """What the file was, what was done to it, and the mel it became, which is all a mel vocoder gets."""
    mel = log_hw2(hw2_mel(recording.samples)).values
    picture = base64.b64encode(mel_png(mel)).decode()
    return (
        f'<figure class="page-mel"><img alt="hw2 mel-spectrogram of the recording, {mel.shape[1]} frames" '
        f'src="data:image/png;base64,{picture}"><figcaption><b>{escape(recording.name)}</b> · {escape(recording.history)} '
        f"Its mel: 80 bands × {mel.shape[1]} frames. No phase, nothing above 8 kHz: this is all a mel vocoder gets."
        "</figcaption></figure>"
    )


def pitch_of(recording: Recording, view: View) -> str:
    if tracker_missing():
        return ""
    tracks = {take.system.title: cached_track(take.samples) for take in view.takes}
    return pitch_panel(recording.seconds, cached_track(recording.samples), tracks)


def levels_of(view: View) -> str:
    titles = {"reference": "Recording", **{take.system.id: take.system.title for take in view.takes}}
    return level_table(titles, view.levels, view.clipped)


def download_links(view: View) -> str:
    if not view.archive:
        return ""
    folder = str(Path(view.archive).parent)
    links = (
        ("everything.zip", "Everything (zip)"),
        ("comparison.png", "Figure (PNG)"),
        ("results.json", "Results (JSON)"),
    )
    return (
        '<p class="page-downloads">'
        + "".join(
            f'<a class="page-button" href="{escape(folder)}/{name}" download="{name}">{title}</a>'
            for name, title in links
        )
        + "</p>"
    )
