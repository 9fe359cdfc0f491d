"""Decides which groups of texts the synthesizer may have, from the newest texts that went both ways.

The decision is recorded like those of gates, after the filter of a partition: all shards of a run obey the same one.
Its figures have the names `{group}.open` (1 or 0), `{group}.synthesizer` and `{group}.pipeline` (shares of acceptance).
"""

import logging

from gem_tasks.domain.gate import Decision, Metrics
from gem_tasks.domain.synthesis import Groups, GroupState, Sampled, state_of
from gem_tasks.lineage import RunContext
from gem_tasks.lineage.synthesizer import Synthesizer, TwoWays
from gem_tasks.pipeline.recipes import takes_of
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)
_OPEN, _OWN, _OTHER = ".open", ".synthesizer", ".pipeline"


def decide_groups(work: Workspace, partition: str, run: RunContext) -> Groups:
    """Decides about all groups with samples and records it, with the figures; a workspace of any line.

    Raises:
        ValueError: the synthesizer is off.
    """
    line = _line(work)
    register_recipes(line)
    recipe = line.chain.by_stage["synthesize"]
    with work.ledger() as ledger:
        before = _read(ledger.synthesizer.decision(recipe.recipe_id))
        newest = ledger.synthesizer.sampled(two_ways(work), work.settings.synthesizer_window)
        found = {each.group: each for each in newest}
        names = sorted(found.keys() | {state.group for state in before.states})
        minimum = work.settings.synthesizer_minimum
        states = tuple(
            state_of(found.get(name) or Sampled(group=name), minimum, was_open=before.of(name).open) for name in names
        )
        decided = Groups(states=states)
        ledger.gates.record_decision(partition, recipe, _decision(decided), run)
    logger.info("synthesizer: %s", summary(decided))
    return decided


def decided_groups(work: Workspace, partition: str, run: RunContext) -> Groups:
    """The decision that holds for the partition; made now if there is none."""
    recipe_id = _line(work).chain.id_of("synthesize")
    with work.ledger() as ledger:
        found = ledger.synthesizer.decision(recipe_id, partition)
    return _read(found) if found else decide_groups(work, partition, run)


def last_groups(work: Workspace) -> Groups:
    """The newest decision, of any partition."""
    with work.ledger() as ledger:
        return groups_in(work, ledger.synthesizer)


def groups_in(work: Workspace, lineage: Synthesizer) -> Groups:
    """The same, over a connection of the caller."""
    return _read(lineage.decision(_line(work).chain.id_of("synthesize")))


def two_ways(work: Workspace) -> TwoWays:
    """The current recipes of both ways; of several conversations about a text, the first one counts."""
    line, chain = _line(work), work.in_one_pass().chain
    later = chain.line[chain.line.index("extract") :]
    revised = chain.id_of("validate") if takes_of(chain.by_stage["revise"]) == "rejected" else ""
    return TwoWays(
        synthesize=line.chain.id_of("synthesize"),
        confirm=line.chain.id_of("confirm"),
        stages=[chain.id_of(name) for name in later],
        accepting=[chain.id_of("validate"), chain.id_of("revalidate")],
        revised=revised,
    )


def summary(groups: Groups) -> str:
    """In one line, such as `open: finance; closed: health`."""
    by_state = {word: [state.group for state in groups.states if state.open is opened] for word, opened in _WORDS}
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in by_state.items() if names) or "no samples yet"


_WORDS = (("open", True), ("closed", False))


def _line(work: Workspace) -> Workspace:
    if (line := work.with_synthesizer) is None:
        raise ValueError("GEM_SYNTHESIZER is off")
    return line


def _decision(groups: Groups) -> Decision:
    numbers: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for state in groups.states:
        found = state.sampled
        numbers[f"{state.group}{_OPEN}"] = float(state.open)
        sizes[f"{state.group}{_OPEN}"] = found.texts
        if found.texts:
            numbers[f"{state.group}{_OWN}"] = found.synthesizer / found.texts
            numbers[f"{state.group}{_OTHER}"] = found.pipeline / found.texts
    metrics = Metrics(stage="synthesize", numbers=numbers, samples=sizes)
    return Decision(action="continue", reason=summary(groups), metrics=metrics)


def _read(decision: Decision | None) -> Groups:
    """A recorded decision; no states if there is none."""
    figures = decision.metrics if decision else Metrics(stage="synthesize")
    states: list[GroupState] = []
    for name, number in sorted(figures.numbers.items()):
        if name.endswith(_OPEN):
            group, texts = name.removesuffix(_OPEN), figures.samples[name]
            own, other = (round(figures.numbers.get(f"{group}{part}", 0) * texts) for part in (_OWN, _OTHER))
            found = Sampled(group=group, texts=texts, synthesizer=own, pipeline=other)
            states.append(GroupState(group=group, open=bool(number), sampled=found))
    return Groups(states=tuple(states))
