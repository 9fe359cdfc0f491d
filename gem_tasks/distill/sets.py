"""Training sets, from published trajectories: `sets/{id}/{split}-00000.parquet`, a manifest, rows in Postgres.

Two passes. The first queries Postgres and assigns splits, so that they do not depend on the data that is read.
The second reads stage outputs shard by shard, in the recipes that the dataset version names, and writes as it goes:
memory holds one shard, one part of each split, and a few words per trajectory.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from itertools import groupby

from gem_tasks import prompts
from gem_tasks.dataset.changed import Changed
from gem_tasks.dataset.names import named, names
from gem_tasks.dataset.row import trajectory_id
from gem_tasks.dataset.select import PERSONS_NAMED, index_of
from gem_tasks.distill.row import SET_VERSION, clean, row_of
from gem_tasks.distill.split import assign, choose
from gem_tasks.distill.writing import PART_ROWS, Writing
from gem_tasks.domain.base import Json
from gem_tasks.domain.distill import Candidate, SetSpec, SftSet, Split
from gem_tasks.domain.synthesis import Synthesized
from gem_tasks.domain.trajectory import Draft, Trajectory
from gem_tasks.errors import UserError
from gem_tasks.lineage.distill import CandidateRow
from gem_tasks.pipeline.shard.records import segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts import synthesis
from gem_tasks.store import keys, parquet, shards
from gem_tasks.worlds.played import Played

Placed = list[tuple[Candidate, Split]]


def candidates(work: Workspace, spec: SetSpec) -> list[Candidate]:
    """Published candidates that match the spec, in shard order, before its size applies; none for an imported set."""
    if spec.imported:
        return []
    with work.ledger() as ledger:
        rows = ledger.distill.sft_candidates(spec)
    return [each for each in map(_candidate, rows) if _wanted(each, spec)]


def build(work: Workspace, spec: SetSpec) -> SftSet:
    """Builds the set, or finds an existing one.

    Raises:
        UserError: there is nothing to train on.
    """
    if spec.imported:
        return _imported(work, spec)
    placed = place(candidates(work, spec), spec)
    if not any(split == "train" for _, split in placed):
        raise UserError(
            f"There are no trajectories to train on ({_described(spec)})",
            "Publish some with `gem run SOURCE`, or widen the selection: more sources, drafts, or unaudited versions.",
        )
    set_id = _identity(work, spec, placed)
    key = keys.set_key(set_id, "manifest.json")
    if work.store.exists(key):
        found = SftSet.model_validate(json.loads(work.fetch(key))["set"])
    else:
        found, placed = _write(work, spec, set_id, placed)
    with work.ledger() as ledger:
        ledger.distill.record_set(found, placed)
    return found


def place(found: Sequence[Candidate], spec: SetSpec) -> Placed:
    """The candidates of the set, with their splits; the spec's size limits only training."""
    splits = assign(found, spec)
    trained = {each.trajectory_id for each in choose((each for each in found if splits[each.group] == "train"), spec)}
    return [
        (each, splits[each.group]) for each in found if splits[each.group] != "train" or each.trajectory_id in trained
    ]


def read(work: Workspace, found: SftSet, split: Split) -> Iterator[dict[str, str]]:
    """The rows of a split, as `gem_tasks.distill.row` writes them."""
    for part in range(-(-found.counts[split] // PART_ROWS)):
        data = work.fetch(keys.set_key(found.set_id, f"{split}-{part:05d}.parquet"))
        for batch in parquet.batches(data, 64):
            yield from batch.to_pylist()


def find(work: Workspace, prefix: str) -> SftSet:
    """The only set whose id has this prefix.

    Raises:
        UserError: there is none, or more than one.
    """
    with work.ledger() as ledger:
        found = ledger.distill.find_sets(prefix, limit=2)
    if len(found) != 1:
        raise UserError(f"{'No' if not found else 'More than one'} set begins with {prefix!r}", "See: gem distill sets")
    return found[0]


def _imported(work: Workspace, spec: SetSpec) -> SftSet:
    """The set that a person imported.

    Raises:
        UserError: there is none, or it is for models of the other kind.
    """
    found = find(work, spec.imported or "")
    if found.spec.imported != found.set_id or found.spec.kind != spec.kind:
        raise UserError(
            f"The set {found.set_id} is not one of imported conversations for a model of kind {spec.kind}",
            "Make one with gem distill import, and choose a profile for agents.",
        )
    return found


def _candidate(row: CandidateRow) -> Candidate:
    copy_of, uri = row.copy_of, row.document_uri
    group = uri if not copy_of else copy_of if "://" in copy_of else f"{uri.partition('#')[0]}#{copy_of}"
    return Candidate(
        trajectory_id=row.trajectory_id or trajectory_id(row.segment_id, row.recipes["validate"]),
        group=group,
        segment_id=row.segment_id,
        version=row.version,
        recipes=row.recipes,
        domain=row.domain,
        partition=row.partition,
        shard=row.shard,
        document_uri=uri,
        source=row.source,
    )


def _wanted(each: Candidate, spec: SetSpec) -> bool:
    if spec.kind == "synthesizer" and "synthesize" in each.recipes:
        return False  # none learns from itself
    names = (each.source, each.document_uri)
    return not spec.sources or any(fnmatchcase(name, pattern) for name in names for pattern in spec.sources)


def _described(spec: SetSpec) -> str:
    return ", ".join(f"{name}={value}" for name, value in spec.model_dump(exclude_defaults=True).items())


def _identity(work: Workspace, spec: SetSpec, placed: Placed) -> str:
    index = index_of(work)
    settings = work.settings.model_dump(include={"keep_contaminated", "exclude_names"}, exclude_defaults=True)
    contents: Json = {
        **settings,
        "version": SET_VERSION,
        "spec": spec.model_dump(exclude={"size", "partition", "imported"}),  # the items reflect them
        "prompt": prompts.load(synthesis.PROMPT).sha256 if spec.kind == "synthesizer" else None,
        "contamination": index.packages,
        "items": sorted((each.trajectory_id, each.version, split) for each, split in placed),
    }
    if changes := Changed.of(work, [each.segment_id for each, _ in placed]).binding:
        contents["changes"] = changes
    return sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:16]


def _write(work: Workspace, spec: SetSpec, set_id: str, placed: Placed) -> tuple[SftSet, Placed]:
    left_out: Counter[str] = Counter()
    written: Placed = []
    writing = Writing(work, set_id)
    where: dict[str, Split] = {each.trajectory_id: split for each, split in placed}
    for candidate, row in _rows(work, spec, [each for each, _ in placed], left_out):
        split = where[candidate.trajectory_id]
        writing.add(split, row)
        written.append((candidate, split))
    versions = tuple(sorted({each.version for each, _ in written}))
    return writing.finish(spec, versions, dict(left_out), _strata(written)), written


def _rows(
    work: Workspace, spec: SetSpec, placed: list[Candidate], left_out: Counter[str]
) -> Iterator[tuple[Candidate, dict[str, str]]]:
    """Yields training items, shard by shard; counts the rest by reason."""
    index = None if work.settings.keep_contaminated else index_of(work)
    for (partition, shard), members in groupby(placed, key=lambda each: (each.partition, each.shard)):
        wanted = list(members)
        segments = {each.segment_id for each in wanted}
        texts = {each.segment_id: each for each in segments_of(work, partition, shard) if each.segment_id in segments}
        made = _outputs(work, spec, partition, shard, wanted)
        changed = Changed.of(work, sorted(segments))
        vetoed = _vetoed(work, wanted)
        for candidate in wanted:
            segment_id = candidate.segment_id
            trajectory = made.get((segment_id, _made_by(candidate, spec)[1]))
            if trajectory is None or segment_id not in texts:
                left_out["gone"] += 1
                continue
            trajectory = changed.at(segment_id, trajectory).trajectory
            if candidate.trajectory_id in vetoed:  # drafts, too
                left_out["vetoed"] += 1
            elif index and index.overlap(trajectory):  # GEM has not examined drafts and rejected ones before
                left_out["contaminated"] += 1
            elif work.settings.exclude_names and _names(spec, trajectory, texts[segment_id].text):
                left_out[PERSONS_NAMED] += 1
            else:
                kept, text = clean(trajectory, texts[segment_id])
                yield candidate, row_of(candidate, spec.kind, kept, text)


def _names(spec: SetSpec, trajectory: Trajectory, text: str) -> Sequence[str]:
    """Names of persons; a synthesizer's rows have the whole text."""
    return names(text) if spec.kind == "synthesizer" else named(trajectory, text)


def _vetoed(work: Workspace, members: Iterable[Candidate]) -> set[str]:
    with work.ledger() as ledger:
        return ledger.changes.vetoed([each.trajectory_id for each in members])


def _outputs(
    work: Workspace, spec: SetSpec, partition: str, shard: int, wanted: Sequence[Candidate]
) -> dict[tuple[str, str], Trajectory]:
    """The wanted trajectories by segment and recipe, from the recipes that their dataset versions name."""
    recipes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in wanted:
        recipes[_made_by(each, spec)].add(each.segment_id)
    return {
        (outcome.segment_id, recipe): _conversation(stage, outcome.payload)
        for (stage, recipe), members in recipes.items()
        for outcome in shards.decode_outcomes(work.fetch(keys.stage_key(stage, recipe, partition, shard)))
        if outcome.payload and outcome.segment_id in members
    }


def _conversation(stage: str, payload: str) -> Trajectory:
    types: dict[str, type[Draft | Synthesized]] = {"simulate": Played, "synthesize": Synthesized}
    return types.get(stage, Draft).model_validate_json(payload).conversation


def _made_by(each: Candidate, spec: SetSpec) -> tuple[str, str]:
    """The stage whose conversation goes into the set, and its recipe: what was published, or the draft of it.

    A conversation in a world, and one of a synthesizer, has no draft.
    """
    if alone := next((stage for stage in ("simulate", "synthesize") if stage in each.recipes), None):
        return alone, each.recipes[alone]
    revised = "revalidate" in each.recipes and each.trajectory_id == trajectory_id(
        each.segment_id, each.recipes["revalidate"]
    )
    stage = "generate" if not spec.refined else "revise" if revised else "refine"
    return stage, each.recipes[stage]


def _strata(written: Placed) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each, split in written:
        counts[each.stratum][split] += 1
    return {stratum: dict(found) for stratum, found in sorted(counts.items())}
