"""The reproducibility checklist, filled in as far as stored results answer it.

Item numbers are those of the checklist of the AutoML conference (template at github.com/automl-conf/LatexTemplate, as
in papers of 2025; older versions have other numbers) and, after a P, of Lindauer and Hutter, "Best Practices for
Scientific Research on Neural Architecture Search", JMLR 21 (2020). The questions are shortened: the template has the
binding text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from nasbench_lab.analysis.studies.results import Study, Task
from nasbench_lab.report.axis_names import axis_words
from nasbench_lab.report.paper.tables import markdown
from nasbench_lab.report.rank_tests import tests_in_words
from nasbench_lab.report.study_selection import in_words, runs_in_words

Answer = Literal["yes", "no", "author"]

OPEN = "TO BE ANSWERED BY THE AUTHORS"
"""Marks questions that the results do not answer."""

_MARKS: dict[Answer, str] = {"yes": "- [x] **Yes**", "no": "- [ ] **No**", "author": f"- [ ] **{OPEN}**"}
_MOST_LISTED = 12

_INTRODUCTION = f"""# Reproducibility checklist

Questions are answered as far as the stored results allow. Only you can answer those marked **{OPEN}**. Questions are
shortened; copy the answers into the template of your year.

Sources: the checklist of the AutoML conference (github.com/automl-conf/LatexTemplate), and Lindauer and Hutter, "Best
Practices for Scientific Research on Neural Architecture Search", JMLR 21 (2020).
"""

_SECTIONS: dict[str, dict[str, str]] = {
    "1. All authors": {
        "1a": "Do abstract and introduction claim what the paper shows?",
        "1b": "Are limitations described?",
        "1c": "Are possible negative effects on society discussed?",
        "1d": "Does the paper conform to the ethics guidelines?",
    },
    "2. Experiments": {
        "2a": "The same protocol for all methods?",
        "2b": "All details of the evaluation?",
        "2c": "Repeated with several seeds?",
        "2d": "Is uncertainty reported?",
        "2e": "Is statistical significance reported?",
        "2f": "Tabular or surrogate benchmarks?",
        "2g": "Performance over time, and why that maximum?",
        "2h": "Total compute, and on what?",
        "2i": "Ablations?",
    },
    "3. Code": {
        "3a": "Code, data, instructions, versions and seeds?",
        "3b": "A minimal example?",
        "3c": "Code that others can run and understand?",
        "3d": "Raw results?",
        "3e": "What makes figures and tables from them?",
    },
    "4. Assets of others": {
        "4a": "Are the creators cited?",
        "4b": "Consent, where the licence requires it?",
        "4c": "Personal or offensive data?",
    },
    "5. New assets": {"5a": "Licence of what is new?", "5b": "Is it included, or where is it?"},
    "6. People": {"6": "Crowdsourcing or human subjects?"},
    "7. Theory": {"7a": "All assumptions stated?", "7b": "Complete proofs?"},
    "NAS best practices (Lindauer and Hutter)": {
        "P1": "Code of the training pipeline?",
        "P2": "Code of the search method?",
        "P3": "Released now, cleaned up or not?",
        "P4": "The same benchmarks, not only the same data sets?",
        "P5": "Ablations?",
        "P6": "The same evaluation protocol?",
        "P7": "Performance as a function of compute?",
        "P8": "Random sampling and random search as baselines?",
        "P9": "Several runs with different seeds?",
        "P10": "Tabular or surrogate benchmarks?",
        "P11": "Confounding factors under control?",
        "P12": "How were hyperparameters tuned?",
        "P13": "Time of the whole method, end to end?",
        "P14": "All details of the set-up?",
    },
}


@dataclasses.dataclass(frozen=True)
class Item:
    """A question and its answer, as far as known.

    Attributes:
        number: in the checklist.
        question: in short.
        answer: ``"yes"`` or ``"no"`` if the results say so, ``"author"`` if only the authors know.
        details: the reason, or hints for the authors; Markdown.

    >>> print(Item("2f", "Tabular or surrogate benchmarks?", "yes", "digits/chain"))
    - [x] **Yes** (2f) *Tabular or surrogate benchmarks?* digits/chain
    """

    number: str
    question: str
    answer: Answer
    details: str = ""

    def __str__(self) -> str:
        return f"{_MARKS[self.answer]} ({self.number}) *{self.question}* {self.details}".rstrip()


def checklist_items(study: Study) -> tuple[Item, ...]:
    """Return all questions with their answers, in order."""
    return tuple(item for section in _answered(study).values() for item in section)


def reproducibility_checklist(study: Study) -> str:
    """Return the checklist as Markdown: answers from the results with reasons, and marks for all other questions."""
    parts = [_INTRODUCTION]
    for title, items in _answered(study).items():
        parts += [f"## {title}\n", *map(str, items), ""]
    inputs = study.provenance.get("inputs") or []
    if inputs:
        parts += ["## Results that were combined\n", *(f"- {_input(each)}" for each in inputs), ""]
    if study.warnings:
        parts += ["## Limits of the results\n", *(f"- {markdown(text)}" for text in study.warnings), ""]
    return "\n".join(parts)


def _input(given: Mapping[str, Any]) -> str:
    """Return where an input comes from, in Markdown."""
    facts = [
        str(given["title"]),
        "imported" if given.get("imported") else "",
        in_words(given["simulations"], "simulation"),
    ]
    facts += [f"{package} {', '.join(numbers)}" for package, numbers in given["versions"].items()]
    facts += [f"label {given['label']}"] if given["label"] else []
    facts += [f"suite {given['spec_hash'][:12]}"] if given["spec_hash"] else []
    facts += [f"{in_words(given['missing'], 'shard')} missing"] if given["missing"] else []
    return f"{markdown(given['source'])}: {'; '.join(markdown(fact) for fact in facts if fact)}"


def _answered(study: Study) -> dict[str, list[Item]]:
    answers = _answers(study)
    return {
        title: [Item(number, question, *answers.get(number, ("author", ""))) for number, question in questions.items()]
        for title, questions in _SECTIONS.items()
    }


def _answers(study: Study) -> dict[str, tuple[Answer, str]]:
    """Return the answers of the results by number, and hints for the open questions."""
    origin = study.provenance
    same, details, repeats, tables = _same_protocol(study), _details(study), _repeats(study), _tables(study)
    ablation = _ablation(study)
    return {
        "1b": ("author", f"See the {in_words(len(study.warnings), 'warning')} below." if study.warnings else ""),
        "2a": same,
        "2b": details,
        "2c": repeats,
        "2d": ("yes", _uncertainty(study)),
        "2e": _significance(study),
        "2f": tables,
        "2g": ("author", f"The figures have curves over time; say why the budget is {_budgets(study)}."),
        "2h": _compute(origin),
        "2i": ablation,
        "3a": ("author", f"{_versions(origin)} Publish the code of your own strategy."),
        "3b": ("author", "`nasbench-lab run` with one table and few runs takes seconds."),
        "3d": ("author", "Publish the folder of results: it contains every evaluation of every run."),
        "3e": ("yes", "`nasbench-lab report RESULTS` makes all of them, `nasbench-lab plot RESULTS` a single one."),
        "4a": _citations(origin),
        "4b": ("author", _licences(origin)),
        "4c": ("author", "Tables hold measurements only; think of the data sets that networks were trained on."),
        "P1": ("author", "For published tables: that of their publications."),
        "P2": ("author", "All strategies except your own are part of nasbench-lab."),
        "P4": same,
        "P5": ablation,
        "P6": same,
        "P7": ("yes", f"Regret against evaluations{_and_seconds(study)}."),
        "P8": _baseline(study),
        "P9": repeats,
        "P10": tables,
        "P11": _confounding(study),
        "P12": ("author", "The results tell which values were used, not how you came to them."),
        "P13": ("author", _end_to_end(study)),
        "P14": details,
    }


def _same_protocol(study: Study) -> tuple[Answer, str]:
    absent = [f"{study.labels[s]} on {study.tasks[t].name}" for s, t in np.argwhere(study.runs == 0).tolist()]
    if absent:
        return "no", f"These are missing: {_listed(absent)}."
    uneven = [task.name for task, counts in zip(study.tasks, study.runs.T, strict=True) if len(np.unique(counts)) > 1]
    if uneven:
        return "no", f"Strategies differ in their number of runs on {_listed(uneven)}."
    given = [each for each in study.provenance.get("imported") or () if each["unknown"]]
    if given:
        unknown = dict.fromkeys(name for each in given for name in each["unknown"])
        names = _listed(dict.fromkeys(each["strategy"] for each in given))
        return "author", f"The logs of {names}, which are imported, do not say {_listed(unknown)}."
    return "yes", "The same tables, budget, fidelity, repeats, workers and limits for every strategy."


def _details(study: Study) -> tuple[Answer, str]:
    tasks = _listed(map(_describe, study.tasks))
    return "yes", f"{tasks}. Strategies, with parameters that differ from the defaults: {_listed(study.labels)}."


def _describe(task: Task) -> str:
    repeat = {"sample": "a new repeat drawn each time", "mean": "the mean of repeats"}.get(str(task.conditions.repeat))
    parts = [
        f"{task.name}: budget {task.conditions.budget}",
        f"{task.conditions.fidelity} epochs",
        f"observing {task.objective.name}, {repeat or f'repeat {task.conditions.repeat}'}",
        in_words(task.conditions.workers, "worker"),
        *(f"limit {name}={limit:g}" for name, limit in task.conditions.limits.items()),
    ]
    return ", ".join(parts)


def _repeats(study: Study) -> tuple[Answer, str]:
    runs = runs_in_words(study, range(len(study.tasks)))
    imported = _imported(study)
    seeds = sorted({summary.seed for summary in study.summaries if summary.strategy not in imported})
    several = int(study.runs.max(initial=0)) > 1
    streams = f"; root seed {', '.join(map(str, seeds))}, run r uses the streams of run r" if seeds else ""
    theirs = (
        f" Results of {_listed(imported)} are imported: their seeds are those of other programs." if imported else ""
    )
    return "yes" if several else "no", f"{runs} of every strategy{streams}.{theirs}"


def _imported(study: Study) -> list[str]:
    """Return the labels of strategies whose results are imported."""
    imported = {each["strategy"] for each in study.provenance.get("imported") or ()}
    return [label for label in study.labels if label in imported]


def _confounding(study: Study) -> tuple[Answer, str]:
    imported = _imported(study)
    if imported:
        text = (
            "All regrets are those of the same tables. Say whether the times in the logs are, too; these are imported"
        )
        return "author", f"{text}: {_listed(imported)}."
    return "yes", "All strategies look up the same measurements, with the same clock."


def _uncertainty(study: Study) -> str:
    if not study.resamples:
        return "Quartiles over runs."
    resamples = in_words(study.resamples, "resample")
    return f"Quartiles over runs; {100 * study.level:g} % bootstrap intervals ({resamples}, seed {study.seed})."


def _significance(study: Study) -> tuple[Answer, str]:
    tests = (
        "Over runs on each table, Holm-adjusted: Mann-Whitney with A12 as effect size, Welch's test of means, Mood's "
        "test of medians"
    )
    ranks = study.ranks.get(study.kind)
    if ranks is not None and np.isfinite(ranks.p):
        pairs = "" if np.isnan(ranks.critical_difference) else "; for pairs Nemenyi, and Wilcoxon, Holm-adjusted"
        tests += f"; over {in_words(len(ranks.tasks), 'task')} {tests_in_words(ranks)}{pairs}"
    return "yes", f"{tests}."


def _tables(study: Study) -> tuple[Answer, str]:
    return "yes", f"All results are on tables: {_listed(dict.fromkeys(task.table for task in study.tasks))}."


def _compute(origin: Mapping[str, Any]) -> tuple[Answer, str]:
    seconds, platforms = origin.get("wall_seconds"), origin.get("platforms")
    if seconds is None or not platforms:
        return "author", "The results do not contain the time and the platform of the simulations."
    where = _listed(map(str, platforms))
    time = f"{seconds / 3600:.3g} hours of simulation, summed over processes"
    return "yes", f"{time}, on {where}; the cost of the tables is not included."


def _ablation(study: Study) -> tuple[Answer, str]:
    imported = _imported(study)
    pairs = [pair for pair in zip(study.labels, study.strategies, strict=True) if pair[0] not in imported]
    variants = [[label for label, other in pairs if other == name] for name in dict.fromkeys(name for _, name in pairs)]
    several = [", ".join(labels) for labels in variants if len(labels) > 1]
    if not several:
        return "author", "No strategy has variants in these results."
    return "author", f"Variants that were compared: {_listed(several)}."


def _baseline(study: Study) -> tuple[Answer, str]:
    if "random-search" not in study.strategies:
        return "no", "Add the strategy `random-search`."
    return "yes", "Random search is among the strategies; the average random architecture is the scale of regret."


def _and_seconds(study: Study) -> str:
    return f" and {axis_words(study, 'seconds')}" if _timed(study) else ""


def _timed(study: Study) -> bool:
    return all("seconds" in task.axes for task in study.tasks)


def _end_to_end(study: Study) -> str:
    if not _timed(study):
        return "Some tables have no times."
    return "Simulated seconds count trainings, not the computing time of the strategy itself."


def _budgets(study: Study) -> str:
    return " or ".join(dict.fromkeys(str(task.conditions.budget) for task in study.tasks))


def _versions(origin: Mapping[str, Any]) -> str:
    versions = [f"{package} {', '.join(numbers)}" for package, numbers in (origin.get("versions") or {}).items()]
    if origin.get("spec_hash"):
        versions.append(f"suite {origin['spec_hash'][:12]}")
    return f"Results of {_listed(versions)}." if versions else ""


def _citations(origin: Mapping[str, Any]) -> tuple[Answer, str]:
    tables = origin.get("tables") or []
    unknown = [table["name"] for table in tables if not table.get("citation")]
    if unknown or not tables:
        return "author", f"No citation is known{f' of {_listed(unknown)}' if unknown else ''}."
    return "yes", f"`references.bib` has the sources of {in_words(len(tables), 'table')}: cite them."


def _licences(origin: Mapping[str, Any]) -> str:
    known = [f"{table['name']}: {table['licence']}" for table in origin.get("tables") or [] if table.get("licence")]
    return f"Licences of tables: {_listed(known)}." if known else ""


def _listed(texts: Iterable[str]) -> str:
    """Join texts, up to a limit, escaped for Markdown."""
    every = [markdown(text) for text in texts]
    more = len(every) - _MOST_LISTED
    return "; ".join(every[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")
