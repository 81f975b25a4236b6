"""A paragraph on methods for a paper, in English, with the numbers of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from common.templates import number
from eval.listening.analysis.precision import MIN_RATERS, MIN_VOTES_PER_CONDITION
from eval.listening.analysis.sequential import ABLE, MAX_TRIALS
from eval.listening.analysis.sequential import ALPHA as SEQUENTIAL_ALPHA
from eval.listening.recruiting.plain import Plain
from eval.listening.storage.records import StoredStudy
from eval.listening.tasks.registry import task_of


def material_of(stored: StoredStudy) -> dict[str, Any]:
    """Lengths, levels, rates and program of a study: what the paragraph says beyond results. JSON-ready."""
    seconds = [stimulus.seconds for stimulus in stored.stimuli]
    levels = [level for stimulus in stored.stimuli if (level := stimulus.made.get("lufs_after")) is not None]
    return {
        "seconds": [min(seconds), max(seconds)] if seconds else None,
        "lufs": [min(levels), max(levels)] if levels else None,
        "sample_rates": sorted({stimulus.sample_rate for stimulus in stored.stimuli}),
        "program": {
            name: stored.versions[name] for name in ("revision", "python", "numpy", "scipy") if name in stored.versions
        },
    }


def methods_paragraph(results: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """results: of `eval.listening.analysis.results.analyse`; names: titles of systems."""
    study, task = results["study"], task_of(results["study"]["mode"])
    sentences = [
        f"Listeners took a blind test in the browser ({task.title}): “{task.about}”",
        _material(results, names),
        _recruited(results),
        _raters(results),
        _languages(results["languages"]),
        "The order of trials followed Williams' Latin squares, balanced over listeners; every sound had to be heard before an answer "
        f"was taken. Each session had {_counted(study['golds'], 'trial')} with a degraded sound, "
        f"{_counted(study['traps'], 'trial')} with beeps and {_counted(study['repeats'], 'repeated trial')}.",
        *_statistics(results["after"] or results["before"]),
        _program(results["material"]["program"]),
    ]
    return " ".join(filter(None, sentences))


def _material(results: Mapping[str, Any], names: Mapping[str, str]) -> str:
    study, material = results["study"], results["material"]
    systems = ", ".join(names[system] for system in study["systems"])
    found = f"{_counted(len(study['items']), 'clip')} were heard through {_counted(len(study['systems']), 'system')} ({systems})"
    if material["seconds"]:
        shortest, longest = (number(seconds, 1) for seconds in material["seconds"])
        length = f"{shortest} s" if shortest == longest else f"{shortest} to {longest} s"
        rates = ", ".join(f"{rate / 1000:g}" for rate in material["sample_rates"])
        found += f", {length} long, mono, 16 bits at {rates} kHz, aligned by whole samples, and each set to its loudness with one gain"
    if material["lufs"]:
        low, high = (number(level, 1) for level in material["lufs"])
        found += f": {low if low == high else f'{low} to {high}'} LUFS (ITU-R BS.1770)"
    return found + "."


def _recruited(results: Mapping[str, Any]) -> str:
    if (terms := results["recruiting"]) is None:
        return ""
    pay = f" and paid {terms['pay']['amount']:.2f} {terms['pay']['currency']}" if terms["pay"] else ""
    passed = " Passing a headphone check was required." if terms["headphones"] else ""
    away = results["n"]["turned_away"]
    turned = (
        f" {_counted(away, 'participant')} {'was' if away == 1 else 'were'} turned away before the trials."
        if away
        else ""
    )
    where = "on other sites" if terms["platform"] == Plain.title else f"on {terms['platform']}"
    return f"Listeners were recruited {where}{pay}.{passed}{turned}"


def _raters(results: Mapping[str, Any]) -> str:
    n = results["n"]
    found = f"{_counted(n['started'], 'listener')} started and {n['finished']} finished; {n['with_votes']} gave {_counted(n['votes'], 'vote')}."
    if minutes := [line["minutes"] for line in results["raters"] if line["finished"] and line["minutes"] is not None]:
        found += f" The trials took {number(median(minutes), 0)} minutes (median)."
    removed = results["screening"]["removed"]
    if not removed["raters"]:
        return f"{found} Post-screening removed nobody."
    rules = ", ".join(f"{rule}: {count}" for rule, count in removed["rules"].items())
    return f"{found} Post-screening removed {_counted(removed['raters'], 'listener')} with {_counted(removed['votes'], 'vote')} (by rule, a listener may break several: {rules})."


def _languages(spoken: Mapping[str, int]) -> str:
    """A scale in another language is another scale."""
    listeners = ", ".join(f"{tag} ({_counted(count, 'listener')})" for tag, count in spoken.items())
    return f"The page was in {listeners}." if listeners else ""


_CLUSTERED = (
    "95 % t intervals clustered by listeners and by clips (Cameron, Gelbach and Miller 2011), with degrees of freedom between the smaller "
    "number of clusters less one and those of independent votes, by the share of the variance that clusters have"
)


def _statistics(found: Mapping[str, Any]) -> Sequence[str]:
    if "systems" in found:
        return (
            f"Utilities are those of the maximum-difference model (Marley and Louviere 2005), with {_CLUSTERED}.",
            _together(len(found["differences"])),
        )
    if "differences" in found:
        what = (
            "Means of comparison scores and paired differences"
            if "against_zero" in found
            else "Means and paired differences"
        )
        return (
            f"{what} have {_CLUSTERED}, and cut off at the ends of the scale.",
            _together(len(found["differences"]) + len(found.get("against_zero", ()))),
        )
    if "listeners" in found:
        return (
            f"The trials of a pair ended for a listener when the evidence against guessing, or that against {ABLE:.0%} of right answers or "
            f"more, had reached {1 / SEQUENTIAL_ALPHA:g} to 1, after {MAX_TRIALS} trials at the latest or the nearest whole number of rounds "
            "through the clips; each error has a probability of 5 % at most whenever a session ends.",
            "All listeners together were tested against guessing by the product of their bets"
            + (
                f", with Holm's correction over {_counted(len(found['listeners']), 'pair')}."
                if len(found["listeners"]) > 1
                else "."
            ),
        )
    if any("d_prime" in pair for pair in found.get("pairs", ())):
        return (
            f"Right answers were tested against one half by exact one-sided binomial tests, with Holm's correction over {_counted(len(found['pairs']), 'pair')}; intervals are Clopper and Pearson's.",
        )
    if "pairs" in found:
        return (
            f"Wins minus losses of each pair, ties counting for neither, have {_CLUSTERED}.",
            _together(len(found["pairs"])),
            "Strengths are those of Bradley and Terry's model with Davidson's ties, with bootstrap intervals over listeners.",
        )
    return ()


def _together(comparisons: int) -> str:
    if comparisons == 1:
        return "There was one comparison."
    return f"The {comparisons} comparisons were tested together with Holm's correction, and have Bonferroni's simultaneous intervals."


def _program(program: Mapping[str, str]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in program.items())
    quoted = (
        f"Results with fewer than {MIN_RATERS} listeners or {MIN_VOTES_PER_CONDITION} votes per system are preliminary."
    )
    return f"{quoted} Made with the Vocoder Listening Lab{f' ({versions})' if versions else ''}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
