"""Answers what Alembic would do with revision scripts that exist only in a question: one JSON question a line, one JSON answer a line.

Promises that Alembic itself decides: `alembic.command.upgrade` runs up to the list of its steps. Refuses to run a step.

A question: {"scripts": [{"revision", "down": [], "depends": [], "labels": []}], "rows": [], "targets": []}
The answer: {"broken": null or an error, "cyclic", "duplicates", "heads", "effective_heads", "bases", "merges", "branch_points",
"history", "answers": [one a target: {"run": [], "as_written": []} or {"class", "text"}]}

Where a script depends on several revisions, Alembic takes them out of a set, whose order is another one in every process. "run" is what
it makes of that, "as_written" what it makes of the script's own order, which is the only thing that is overridden here.
"""

import graphlib
import json
import sys
import types
import warnings

from alembic import command, util
from alembic.script import ScriptDirectory, revision


class AsWritten(revision.RevisionMap):
    """Takes the dependencies of a script in the order of its text."""

    def _normalize_depends_on(self, revisions, map_):
        super()._normalize_depends_on(revisions, map_)
        for one in revisions:
            kept = one._normalized_resolved_dependencies
            written = dict.fromkeys(one._resolved_dependencies)
            one._normalized_resolved_dependencies = tuple(name for name in written if name in kept)


class Script(revision.Revision):
    module = types.SimpleNamespace(upgrade=None, downgrade=None)
    doc = ""


class Environment:
    """Stands in for env.py: asks Alembic for the steps, and runs none."""

    rows = ()
    steps = None

    def __init__(self, config, script, fn, **_):
        script.run_env = lambda: setattr(Environment, "steps", fn(self.rows, None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def scalar(names):
    return None if not names else names[0] if len(names) == 1 else tuple(names)


def directory(kind, scripts):
    def load():
        for one in scripts:
            yield Script(one["revision"], scalar(one["down"]), tuple(one["depends"]), tuple(one["labels"]))

    made = ScriptDirectory("/")
    made.revision_map = kind(load)
    return made


TEXTS = [
    ("Branch name '", "label_clash"),
    ("Character(s) ", "forbidden_character"),
    ("Dependency resolution failed", "dangling"),
    ("Requested revision ", "overlap"),
    ("Ambiguous upgrade ", "ambiguous_start"),
    ("Ambiguous walk", "ambiguous_walk"),
    ("Relative revision ", "too_far"),
    ("Range revision not allowed", "range"),
    ("No such revision or branch ", "not_found"),
    ("Multiple revisions start ", "ambiguous"),
    ("No such branch: ", "no_such_branch"),
]
CLASSES = [
    (revision.DependencyLoopDetected, "dependency_loop"),
    (revision.LoopDetected, "loop"),
    (revision.DependencyCycleDetected, "dependency_cycle"),
    (revision.CycleDetected, "cycle"),
    (revision.MultipleHeads, "multiple_heads"),
    (KeyError, "dangling"),
    (AssertionError, "nowhere"),
]


def told(error):
    cause = error.__cause__ if isinstance(error, util.CommandError) and error.__cause__ else error
    text = str(cause)
    found = [name for kind, name in CLASSES if isinstance(cause, kind)]
    found += [name for beginning, name in TEXTS if text.startswith(beginning)]
    if " is not a member of branch " in text:
        found.append("not_on_branch")
    return {"class": found[0] if found else "unexpected " + repr(cause), "text": text}


def upgrade(made, rows, target):
    Environment.rows, Environment.steps = tuple(rows), None
    command.ScriptDirectory = types.SimpleNamespace(from_config=lambda _: made)
    command.EnvironmentContext = Environment
    command.upgrade(None, target)
    return [step.revision.revision for step in Environment.steps]


def is_cyclic(scripts):
    """Independent of Alembic, which overlooks some cycles."""
    counting = {one["revision"]: one for one in scripts}
    names = {label: one["revision"] for one in scripts for label in one["labels"]} | {name: name for name in counting}
    edges = {
        name: {names[other] for other in one["down"] + one["depends"] if other in names}
        for name, one in counting.items()
    }
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError:
        return True
    return False


def answer(question):
    scripts, rows = question["scripts"], question["rows"]
    answers = {"cyclic": is_cyclic(scripts), "broken": None}
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            made, as_written = directory(revision.RevisionMap, scripts), directory(AsWritten, scripts)
            known = [one for one in made.revision_map._revision_map.values() if one]
            as_written.revision_map._revision_map
        answers["duplicates"] = sum("is present more than once" in str(one.message) for one in said) // 2
        unique = list(dict.fromkeys(known))
        answers |= {
            "heads": made.get_heads(),
            "effective_heads": list(made.revision_map._real_heads),
            "bases": made.get_bases(),
            "merges": sorted(one.revision for one in unique if one.is_merge_point),
            "branch_points": sorted(one.revision for one in unique if one.is_branch_point),
        }
    except (util.CommandError, revision.RevisionError, KeyError, AssertionError) as error:
        return answers | {"broken": told(error), "answers": []}
    if answers["cyclic"]:
        # Alembic has overlooked it, and may never come to an end.
        return answers
    try:
        answers["history"] = {"run": [one.revision for one in as_written.walk_revisions()]}
    except (util.CommandError, AssertionError) as error:
        answers["history"] = told(error)
    answers["answers"] = []
    for target in question["targets"]:
        try:
            run = upgrade(made, rows, target)
            written = upgrade(as_written, rows, target)
            answers["answers"].append({"run": run, "as_written": written})
        except (util.CommandError, revision.RevisionError, KeyError, AssertionError) as error:
            answers["answers"].append(told(error))
    return answers


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
