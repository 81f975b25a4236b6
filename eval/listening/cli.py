"""`python -m eval listening make|list|plan|simulate|coverage|analyse|export|alarm|backup|restore`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common.command import counting_bar, mention, note, refuse_overwriting
from common.durable import write_text_durably
from eval.listening.analysis.export import export_participants, export_study
from eval.listening.planning_command import add_planning
from eval.listening.session.open import open_store
from eval.listening.storage.backup import back_up, restore
from eval.listening.storage.database import StoreError, full_url
from eval.listening.storage.store import Store


def add_listening(commands) -> None:
    """The subcommands, below the `eval` parser's."""
    parser = commands.add_parser("listening", help="blind listening studies: make one, read its results")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    make = actions.add_parser(
        "make", help="render a study's stimuli and store it; prints its link and the key to its results"
    )
    make.add_argument(
        "study", type=Path, metavar="STUDY.yaml", help="name, mode, clips, systems, ...; see docs/listening-tests.md"
    )
    make.add_argument("--revises", metavar="ID", help="make a revision of this study")
    listing = actions.add_parser("list", help="all studies")
    backup = actions.add_parser("backup", help="all studies, answers and stimuli in one file, while the app runs")
    backup.add_argument("archive", type=Path, metavar="FILE.tar")
    backup.add_argument("--force", action="store_true", help="overwrite")
    restoring = actions.add_parser("restore", help="a backup into an empty database, of whatever kind")
    restoring.add_argument("archive", type=Path, metavar="FILE.tar")
    for action in (make, listing, backup, restoring):
        action.add_argument("--data-dir", type=Path, default=Path("data"), metavar="DIR", help="as of app.py (./data)")
    make.set_defaults(command=make_command)
    listing.set_defaults(command=list_command)
    backup.set_defaults(command=backup_command)
    restoring.set_defaults(command=restore_command)
    add_planning(actions)
    analysis = actions.add_parser(
        "analyse", help="statistics of a study: report.html and results.json, or JSON on stdout"
    )
    export = actions.add_parser("export", help="its answers: answers.csv, answers.jsonl, webmushra.csv")
    for action in (analysis, export):
        action.add_argument("--study", required=True, metavar="ID", help="as in its link")
        action.add_argument("--db", metavar="URL", help="sqlite:///FILE or postgresql://... (that of --data-dir)")
        action.add_argument("--data-dir", type=Path, default=Path("data"), metavar="DIR", help="as of app.py (./data)")
        action.add_argument("--force", action="store_true", help="overwrite")
    alarm = actions.add_parser("alarm", help="answers an alarm: whether the check works, and leaves out who failed it")
    alarm.add_argument("rule", choices=("gold", "trap", "headphones"))
    alarm.add_argument("verdict", choices=("works", "broken"))
    alarm.add_argument("--study", required=True, metavar="ID", help="as in its link")
    alarm.add_argument("--data-dir", type=Path, default=Path("data"), metavar="DIR", help="as of app.py (./data)")
    alarm.set_defaults(command=alarm_command)
    analysis.add_argument("--out", type=Path, metavar="DIR")
    export.add_argument("--out", type=Path, default=Path("."), metavar="DIR", help="(.)")
    export.add_argument(
        "--participants", action="store_true", help="participants.csv alone: the platform's ids; needs --key"
    )
    export.add_argument(
        "--key",
        default="",
        metavar="KEY",
        help="of the study, as it was printed when it was made; --key=KEY for one that begins with -",
    )
    analysis.set_defaults(command=analyse_command)
    export.set_defaults(command=export_command)


def make_command(args: argparse.Namespace) -> int:
    from eval.compare.output_folder import OutputFolder
    from eval.listening.making.make_study import make_study, read_clips
    from eval.listening.making.outputs import output_files
    from eval.listening.making.study_file import study_from_file
    from eval.listening.recruiting.launch import entry_address, launch_notes

    study, clips, systems = study_from_file(args.study)
    store = _reported(lambda: open_store(args.data_dir))
    _reported(store.check)
    recordings = read_clips(clips)
    for item, recording in recordings.items():
        mention(recording, clips[item])
    for folder in systems:
        if isinstance(folder, OutputFolder):
            folder.note_mismatches()
    for output in output_files(study.items, systems, recordings):
        for noticed in output.notes:
            note(f"{output.item}: {output.system}: {noticed}")
    with counting_bar("output") as show:
        made = _reported(
            lambda: make_study(
                store,
                args.data_dir,
                study,
                recordings,
                systems,
                lambda done, total, text: show(done, total),
                args.revises,
            )
        )
    print(f"raters  {entry_address(made.public_id, study)}\nkey     {made.key}")
    for line in launch_notes(study):
        note(line.removesuffix("."))
    return 0


def list_command(args: argparse.Namespace) -> int:
    for row in _reported(lambda: open_store(args.data_dir, mirrored=False).studies()):
        print(f"{row['public_id']}  revision {row['revision']}  {row['raters']} raters  {row['name']}")
    return 0


def backup_command(args: argparse.Namespace) -> int:
    refuse_overwriting([args.archive], args.force)
    store = _reported(lambda: open_store(args.data_dir, mirrored=False))
    _print_counts(_reported(lambda: back_up(store, args.data_dir / "listening", args.archive)))
    return 0


def restore_command(args: argparse.Namespace) -> int:
    store = _reported(lambda: open_store(args.data_dir))
    _print_counts(_reported(lambda: restore(store, args.data_dir / "listening", args.archive)))
    return 0


def _print_counts(counts: dict[str, int]) -> None:
    print(", ".join(f"{count} {name}" for name, count in counts.items()))


def analyse_command(args: argparse.Namespace) -> int:
    from eval.listening.analysis.results import analyse
    from eval.reports.study import study_report
    from vocoders.catalogue import BUILT_IN

    store = _store(args)
    stored = _study(store, args.study)
    public_id = args.study
    results = _reported(lambda: analyse(stored, store.answers(public_id), store.raters(public_id)))
    content = json.dumps(results, indent=2, ensure_ascii=False)
    if args.out is None:
        print(content)
        return 0
    paths = [args.out / "results.json", args.out / "report.html"]
    refuse_overwriting(paths, args.force)
    args.out.mkdir(parents=True, exist_ok=True)
    write_text_durably(paths[0], content + "\n")
    titles = {s.id: s.title for s in BUILT_IN} | dict(stored.titles)
    report = study_report(results, titles, {s.id: s.about for s in BUILT_IN})
    write_text_durably(paths[1], report)
    print(paths[1])
    return 0


def export_command(args: argparse.Namespace) -> int:
    store = _store(args)
    _study(store, args.study)
    if args.participants:
        if not _reported(lambda: store.has_key(args.study, args.key)):
            raise ValueError("--participants: the ids of people are for holders of the study's key; give it with --key")
        refuse_overwriting([args.out / "participants.csv"], args.force)
        args.out.mkdir(parents=True, exist_ok=True)
        print(_reported(lambda: export_participants(store, args.study, args.out / "participants.csv")))
        return 0
    refuse_overwriting([args.out / name for name in ("answers.csv", "answers.jsonl", "webmushra.csv")], args.force)
    for path in _reported(lambda: export_study(store, args.study, args.out)):
        print(path)
    return 0


def alarm_command(args: argparse.Namespace) -> int:
    store = _reported(lambda: open_store(args.data_dir, mirrored=False))
    try:
        _reported(lambda: store.answer_alarm(args.study, args.rule, args.verdict == "works"))
    except KeyError as error:
        raise ValueError(f"there is no alarm about {args.rule!r} in the study {args.study!r}") from error
    return 0


def _store(args: argparse.Namespace) -> Store:
    if args.db is None:
        return _reported(lambda: open_store(args.data_dir, mirrored=False))
    return _reported(lambda: Store(full_url(args.db)))


def _study(store: Store, public_id: str):
    try:
        return _reported(lambda: store.study(public_id))
    except KeyError as error:
        known = ", ".join(row["public_id"] for row in _reported(store.studies)) or "none"
        raise ValueError(f"there is no study {public_id!r}; there are: {known}") from error


def _reported(work):
    """A database that cannot be used is a user's error here: one line."""
    try:
        return work()
    except StoreError as error:
        raise ValueError(str(error)) from error
