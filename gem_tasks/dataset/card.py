"""Writes the dataset card, which describes a version to people who want to train on it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

from gem_tasks.dataset import plots
from gem_tasks.domain.base import Json
from gem_tasks.domain.realised import Kept, Realised
from gem_tasks.visible import visible

OFFLINE_MODEL = "offline-rules"
_MOST = 15
"""Maximum rows of a distribution."""
_BAR = 30
"""Characters of the longest bar."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_WARNING = """
> **Made by the offline teacher.** The stages {stages} were answered by GEM's rule-based stand-in (`offline-rules`), not
> by a language model. This data shows that the pipeline works. For real training, configure a real model and run again.
"""
_LIMITS = """
- Tools and their results were written by a model: no real system ran.
- Checks find contradictions with the conversation or the source text. Plausible, consistent, wrong statements pass.
- Licences are those that the sources claim. You have to clarify whether you may use derived texts.
- GEM searches for near duplicates among the segments of all partitions, but only among this partition's trajectories.
"""


def render(manifest: Json) -> str:
    """Markdown with a YAML header that the Hugging Face Hub reads."""
    offline = [stage for stage, model in manifest["teacher"].items() if model == OFFLINE_MODEL]
    size, count = manifest["means"], manifest["trajectories"]
    stages = manifest["teacher"]
    parts = [
        _header(count),
        f"# GEM trajectories, version {manifest['version']}",
        _WARNING.format(stages=", ".join(offline)).strip() if offline else "",
        f"{count} multi-turn tool-use trajectories from {manifest['documents']} documents of partition"
        f" `{manifest['partition']}`, made by the method of the GEM paper (arXiv 2601.10355) and validated by"
        " deterministic checks and a judge.",
        _thoughts(manifest),
        _table(
            ("mean per trajectory", "before refinement", "after"),
            ((name, size["draft"][name], size["refined"][name]) for name in ("messages", "tools", "calls")),
        ),
        "![Messages per trajectory](plots/messages.svg)",
        "## From documents to trajectories",
        _funnel(manifest),
        "## Refusals and their reasons",
        _refused(manifest),
        "## Contents",
        "Columns `trajectory_id`, `segment_id` and, as JSON strings, `messages` and `tools` (Chat Completions format)"
        " and `metadata` (source, licence, models, recipe); `plan_…` columns say what the conversation was to be like.",
        *_distributions(manifest),
        "## How alike the conversations are",
        *_alike(manifest),
        "## Contamination, privacy, audit",
        *_looked_at(manifest),
        "## How it was made",
        _table(
            ("stage", "model", "recipe", "prompt"),
            (
                (stage, f"`{cell(model)}`", f"`{manifest['recipes'][stage]}`", f"`{manifest['prompts'][stage][:12]}`")
                for stage, model in stages.items()
            ),
        ),
        "## Known limits",
        _LIMITS.strip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def pictures(manifest: Json) -> dict[str, bytes]:
    """The plots that the card shows, by file name."""
    lengths: dict[str, dict[str, int]] = manifest["lengths"]
    tens = sorted({int(ten) for found in lengths.values() for ten in found})
    series = {
        label: [lengths[name].get(str(ten), 0) for ten in tens]
        for label, name in (("before refinement", "draft"), ("after", "refined"))
    }
    return {
        "plots/messages.svg": plots.columns("Messages per trajectory", [f"{ten}-{ten + 9}" for ten in tens], series),
        "plots/domains.svg": plots.bars("Trajectories by domain", manifest["domains"]),
        "plots/tools.svg": plots.bars("Trajectories by tool called", manifest["tools"]),
    }


def counts(found: Mapping[str, int]) -> dict[str, int]:
    """Most frequent first, ties by name."""
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def size_category(count: int) -> str:
    """The Hub's size category of a number of rows."""
    return next((name for limit, name in _SIZES if count < limit), "n>1M")


def _header(count: int) -> str:
    return f"""---
task_categories: [text-generation]
tags: [tool-use, function-calling, agents, synthetic, gem]
size_categories: [{size_category(count)}]
configs: [{{config_name: default, data_files: "train-*.parquet"}}]
---"""


def _thoughts(manifest: Json) -> str:
    found = manifest.get("thoughts")
    if not found:
        return ""
    return (
        f"{found['thoughts']} of {found['assistant_turns']} turns of the assistant have a private thought"
        " (`reasoning_content`), written by the same model as the turn."
    )


def _funnel(manifest: Json) -> str:
    funnel = manifest["funnel"]
    total = funnel["documents"]["total"]
    read = sum(funnel["documents"]["reasons"].values())
    rows = [("documents", total, total - read, read, 0), ("segments", funnel["segments"], funnel["segments"], 0, 0)]
    rows += [
        (stage["stage"], sum(stage[name] for name in ("accepted", "rejected", "failed")), stage["accepted"],
         stage["rejected"], stage["failed"])
        for stage in funnel["stages"]
    ]  # fmt: skip
    left_out = sum(manifest["excluded"].values())
    rows.append(("published", manifest["trajectories"] + left_out, manifest["trajectories"], left_out, 0))
    yields = [(*row, f"{row[2] / row[1]:.1%}" if row[1] else "") for row in rows]
    return _table(("step", "in", "accepted", "rejected", "failed", "yield"), yields)


def _refused(manifest: Json) -> str:
    found: Counter[tuple[str, str]] = Counter()
    for reason, count in manifest["funnel"]["documents"]["reasons"].items():
        found["documents", reason] += count
    for stage in manifest["funnel"]["stages"]:
        for reason, count in stage["reasons"].items():
            found[stage["stage"], reason] += count
    for reason, count in manifest["excluded"].items():
        found["publication", reason] += count
    rows = [(step, cell(reason), count) for (step, reason), count in found.most_common()]
    refused = _table(("step", "reason", "count"), rows) if rows else "No trajectory was refused."
    if not manifest["warnings"]:
        return refused
    return f"{refused}\n\nFindings of the checks in published trajectories that did not lead to a refusal:\n\n" + _bars(
        "check", manifest["warnings"], manifest["trajectories"]
    )


def _distributions(manifest: Json) -> Iterable[str]:
    count = manifest["trajectories"]
    yield "![Trajectories by domain](plots/domains.svg)"
    yield "![Trajectories by tool called](plots/tools.svg)"
    for title, name in (
        ("licence of the source", "licenses"),
        ("source", "sources"),
        ("domain", "domains"),
        ("platform", "platforms"),
        ("task category", "task_categories"),
        ("tool", "tools"),
    ):
        yield _bars(title, manifest[name], count)
    for name in ("tools", "domains"):
        found = manifest["diversity"][name]
        yield (
            f"Diversity of {name}: {found['distinct']} distinct, entropy {found['entropy_bits']} bits (evenness"
            f" {found['evenness']}); the most common is in {found['top_share']:.1%} of trajectories."
        )


def _alike(manifest: Json) -> Iterable[str]:
    found, count = manifest["diversity"], manifest["trajectories"]
    if found.get("plans"):
        yield "Plans drawn, with each option's share of conversations: what they were told to be, not a check of it."
        yield _table(
            ("menu", "options"),
            ((cell(menu), _options(options, count)) for menu, options in found["plans"].items()),
        )
    if found.get("realised"):
        yield from _realised(Realised.model_validate(found["realised"]))
    said: dict[str, dict[str, float]] = {
        f"{what}, said by {role}s": phrases
        for name, what in (("phrases", "four words in a row"), ("openings", "first four words"))
        for role, phrases in found.get(name, {}).items()
    }
    for title, phrases in said.items():
        if phrases:
            rows = ((cell(phrase), f"{share:.1%}") for phrase, share in phrases.items())
            yield _table((title, "share of conversations"), rows)
    if found.get("spread") is not None:
        yield (
            f"Spread: {found['spread']}. That is the compressed size of up to 100 conversations together, by the sum of"
            " their sizes compressed one by one: 1 where nothing recurs, near 0 where all are the same."
        )
    gate: Json = found.get("gate") or {}
    broken: list[str] = gate.get("broken") or []
    if broken:
        yield "**Less diverse than the gate policy wants**: " + "; ".join(map(cell, broken)) + "."


def _realised(found: Realised) -> Iterable[str]:
    """What conversations really are: by code, then by a judge."""
    shares = [
        (name.replace("_", " "), f"{share.share or 0:.0%}", spread(share.interval), share.of)
        for name, share in found.headlines.items()
    ]
    yield "What conversations really are. A tool error is found by code in all of them; a model judged the rest."
    yield _table(("in conversations", "share", "95 %", "of"), shares)
    asked = [(f"{name.replace('_', ' ')} (mean)", wanted, real) for name, (wanted, real) in found.means.items()]
    if asked:
        yield _table(("", "planned", "real"), asked)
    rows = [
        (cell(menu), cell(option), kept.planned, kept.realised, kept_words(kept))
        for menu, options in found.menus.items()
        for option, kept in options.items()
    ]
    yield _table(("menu", "option", "planned", "real", "kept by (95 %)"), rows) if rows else ""
    if found.not_judged:
        yield f"Not judged: {cell(found.not_judged)}."
    else:
        unreadable = sum(found.unreadable.values())
        yield (
            f"`{cell(found.judge['model'])}` judged {found.judged} conversations, without seeing their plans;"
            f" {unreadable} of its answers could not be read and do not count."
        )


def kept_words(kept: Kept) -> str:
    """Share of the planned ones that keep it, with its interval; a dash if none was planned."""
    return f"{kept.share:.0%} ({spread(kept.interval)})" if kept.share is not None and kept.interval else "–"


def spread(interval: tuple[float, float]) -> str:
    """An interval of shares, such as `12 to 31 %`."""
    return f"{interval[0] * 100:.0f} to {interval[1] * 100:.0f} %"


def _options(options: Mapping[str, int], count: int) -> str:
    return ", ".join(f"{cell(name)} {number / count:.0%}" for name, number in options.items())


def _looked_at(manifest: Json) -> Iterable[str]:
    found, privacy = manifest["contamination"], manifest["privacy"]
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    yield (
        f"**Contamination**: compared with {found['items']} test items of {packages}:"
        f" {manifest['excluded'].get('contaminated', 0)} left out, {found['kept']} kept and marked."
    )
    yield (
        f"**Privacy**: replaced because the source contains the value: {_named(privacy['replaced'])}. Left unchanged"
        f" because no source contains it (most likely invented): {_named(privacy['flagged'])}. Distinct values per"
        " trajectory."
    )
    persons = privacy["persons"]
    left_out = manifest["excluded"].get("persons_named", 0)
    yield (
        f"**Names of persons** that the source contains too: {persons['names']} in {persons['trajectories']}"
        f" trajectories, which have `n_names` in their metadata; {left_out} left out because of such names."
    )
    yield (
        f"**People**: {manifest['excluded'].get('vetoed', 0)} trajectories left out after a veto,"
        f" {manifest.get('edited', 0)} published as edited (`edited` in the metadata)."
    )
    yield "**Audit**: `gem audit report` has the ratings of this version, if people rated it."


def _named(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in found.items()) or "nothing"


def _bars(title: str, found: Mapping[str, int], total: int) -> str:
    """A distribution as a table with bars, which is readable in any Markdown viewer."""
    longest = max(found.values(), default=1)
    rows = [
        (cell(name), number, f"{number / total:.1%}", "█" * max(1, round(number / longest * _BAR)))
        for name, number in islice(found.items(), _MOST)
    ]
    if len(found) > _MOST:
        rest = list(found.values())[_MOST:]
        rows.append((f"*{len(rest)} more*", sum(rest), "", ""))
    return _table((title, "trajectories", "share", ""), rows)


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(columns)
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    """Names come from documents and models: no pipe, line break or markup may get out of its cell."""
    plain = visible(" ".join(text.split())[:80]).replace("|", "/").replace("<", "&lt;")
    for sign in "\\`*_[]!":
        plain = plain.replace(sign, "\\" + sign)
    return plain
