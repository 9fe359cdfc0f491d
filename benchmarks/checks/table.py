"""Makes the tables of `docs/validation.md` and `gem_tasks/checks/severities.toml` from what `mutations.py` measured.

    python benchmarks/checks/table.py REAL.json UNTOUCHED.json TEACHER.json [--labels adjudicated.jsonl]
    python benchmarks/checks/table.py --new

The second form needs no conversations. It keeps what was measured, adds new kinds as not measured, removes kinds that
no check reports any more, and takes severities and the checks' version from the code. Kinds whose verdicts changed need
the first form.

REAL and UNTOUCHED are two seeds on conversations of a real model that readers keep (the checks were tuned on the first
only), TEACHER is one on the offline teacher's. Precision is counted in conversations of REAL: right where a kind finds
an injected defect, wrong where it speaks about the sound version. A finding there is wrong because readers kept the
whole conversation, unless LABELS (a line each: `id`, `check`, `kind`, `message`, `path`, `verdict`) calls it true.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path

from gem_tasks.checks import CHECKS_VERSION
from gem_tasks.checks.faults import CONSTRUCTED, Fault
from gem_tasks.domain.finding import Severity
from gem_tasks.domain.interval import wilson
from gem_tasks.files import json_lines

ROOT = Path(__file__).parents[2]
DOC, TOML = ROOT / "docs/validation.md", ROOT / "gem_tasks/checks/severities.toml"
HEAD = """\
# Made by benchmarks/checks/table.py; not to be written by hand. What each kind of finding was measured to be worth.
# right, wrong: conversations of a real model in which it found an injected defect, or spoke about a sound one.
"""


def measured(run, labels):
    """By slug: conversations in which it was right and wrong, and the share of its own defects that it finds."""
    true = {(each["id"], f"{each['check']}.{each['kind']}", each["message"], each["path"])
            for each in labels if each["verdict"] == "true"}  # fmt: skip
    found = {}
    for fault in Fault:
        own = [row for row in run["kinds"] if fault.slug in row["by"]]
        right = {key for row in own for key in row["by"][fault.slug]}
        wrong = {
            place["id"] for place in run["clean"]["by"].get(fault.slug, ())
            if (place["id"], fault.slug, place["message"], place["path"]) not in true
        }  # fmt: skip
        main = [row for row in own if max(row["by"], key=lambda slug: len(row["by"][slug])) == fault.slug]
        hits, made = sum(len(row["by"][fault.slug]) for row in main), sum(row["made"] for row in main)
        found[fault] = (len(right), len(wrong), hits / made if made else None)
    return found


def kept(before):
    """By kind of today: what the file says of it; nothing was measured of one that it lacks."""
    rows = {fault: before["kinds"].get(fault.slug, {}) for fault in Fault}
    return {fault: (row.get("right", 0), row.get("wrong", 0), row.get("recall")) for fault, row in rows.items()}


def toml(kinds, conversations):
    parts = [HEAD, f"checks = {CHECKS_VERSION}", f"conversations = {conversations}", ""]
    for fault, (right, wrong, recall) in kinds.items():
        parts += [f'[kinds."{fault.slug}"]', f'severity = "{fault.severity}"']
        parts += ['basis = "construction"'] if fault.check in CONSTRUCTED else []
        parts += [f"right = {right}", f"wrong = {wrong}"]
        if right + wrong:
            low, high = wilson(right, right + wrong)
            parts += [f"precision = {right / (right + wrong):.3f}", f"interval = [{low:.3f}, {high:.3f}]"]
        parts += [f"recall = {recall:.3f}"] if recall is not None else []
        parts.append("")
    return "\n".join(parts)


def severity_table(kinds):
    rows = ["| kind | severity | right | wrong | precision (95 %) | recall |", "|---|---|---|---|---|---|"]
    for fault, (right, wrong, recall) in kinds.items():
        if fault.check in CONSTRUCTED and not wrong:
            continue
        precision = "not measured"
        if right + wrong:
            low, high = wilson(right, right + wrong)
            precision = f"{right / (right + wrong):.2f} ({low:.2f}–{high:.2f})"
        shown = "" if recall is None else f"{recall:.2f}"
        weight = f"**{fault.severity}**" if fault.severity is Severity.ERROR else fault.severity
        rows.append(f"| `{fault.slug}` | {weight} | {right} | {wrong} | {precision} | {shown} |")
    return "\n".join(rows)


def recall_table(runs):
    names = [(row["family"], row["kind"]) for row in runs[0]["kinds"]]
    rows = ["| injected defect | first seed | untouched seed | offline teacher |", "|---|---|---|---|"]
    for family, name in names:
        shown = [cell(next((row for row in run["kinds"] if row["kind"] == name), None)) for run in runs]
        rows.append(f"| {family}: {name.replace('_', ' ')} | {' | '.join(shown)} |")
    return "\n".join(rows)


def cell(row):
    """`0.985, 0.000 refused (200 in 12 conversations)`."""
    if not row or not row["made"]:
        return "none could be made"
    few = f" (of {row['made']})" if row["made"] < 200 else ""
    return f"{row['found'] / row['made']:.3f}, {row['refused'] / row['made']:.3f} refused{few}"


def put(text, name, table):
    start, end = f"<!-- table {name} -->", f"<!-- end {name} -->"
    return re.sub(f"{start}.*?{end}", lambda _: f"{start}\n{table}\n{end}", text, flags=re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--new", action="store_true", help="no measurements: only kinds that are new or gone")
    options = parser.parse_args()
    if len(options.runs) != (0 if options.new else 3):
        parser.error("three files of mutations.py, or --new")
    text = DOC.read_text(encoding="utf-8")
    if options.new:
        before = tomllib.loads(TOML.read_text(encoding="utf-8"))
        kinds, conversations = kept(before), before["conversations"]
    else:
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in options.runs]
        kinds = measured(runs[0], list(json_lines(options.labels)) if options.labels else [])
        conversations = runs[0]["clean"]["conversations"]
        text = put(text, "recall", recall_table(runs))
    TOML.write_text(toml(kinds, conversations), encoding="utf-8")
    DOC.write_text(put(text, "severities", severity_table(kinds)), encoding="utf-8")


if __name__ == "__main__":
    main()
