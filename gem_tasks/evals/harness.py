"""Shared by the harnesses: a confined job in a separate environment, its events, and the report of its cases."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Generic, Literal, NamedTuple, TypeVar

from gem_tasks.confine.job import Job, SandboxMode, Upstream
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import CaseScore, Endpoint, EvalReport, RunSettings, Score
from gem_tasks.errors import UserError
from gem_tasks.evals.child import events, planned, reading
from gem_tasks.evals.dialects import Translator
from gem_tasks.evals.environment import ensure
from gem_tasks.evals.folder import keep_job, save_report
from gem_tasks.evals.health import require_healthy
from gem_tasks.evals.options import RunOptions
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.redaction import beginning
from gem_tasks.resources import shipped

Options = TypeVar("Options", bound=RunOptions)
Cases = dict[str, list[str]]
"""Case ids by category."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GRACE_S = 10
"""Seconds beyond the request's timeout after which the sandbox's proxy abandons an answer."""
_TOO_MANY_FAILURES = 20
"""Failed calls in a row, after their retries, that end a run."""


class Ran(NamedTuple):
    """What a harness ran."""

    plan: Cases
    tasks_sha256: str | None
    """Hash of the loaded tasks. The harness says it before it asks a model, which could forge what it says later."""


class Scored(NamedTuple):
    """A harness's results for its cases."""

    cases: tuple[CaseScore, ...]
    scores: tuple[Score, ...]
    """Overall first, then by category."""
    measures: Json


class ConfinedHarness(ABC, Generic[Options]):
    """One benchmark. Subclasses define what differs; `evaluate` is shared."""

    name: ClassVar[Literal["bfcl", "tau2", "tool-eval-bench"]]
    """Name of the harness, of its environment, and of its folder in `envs/`."""
    title: ClassVar[str]
    smoke: ClassVar[tuple[str, ...]]
    """Case ids of a run that only tests that everything works together."""
    example: ClassVar[str]
    """An example of a case id, for error messages."""
    groups: ClassVar[str]
    """The word for its categories, in the plural."""
    doing: ClassVar[str]
    """The activity of a case, for progress messages."""
    under_test: ClassVar[str]
    """Name of the model's endpoint in `environment`."""
    most_file_bytes: ClassVar[int]
    """Maximum size of one file of the harness."""
    environment: ClassVar[Mapping[str, str]]
    """Variables of the child; `{name}` of an endpoint stands for its address, `{token}` for the key to it."""

    def evaluate(
        self,
        endpoint: Endpoint,
        options: Options,
        out_dir: Path,
        *,
        home: Path,
        progress: Progress = silent,
        sandbox: SandboxMode = "auto",
    ) -> EvalReport:
        """Runs the benchmark and returns the report, which is also in `out_dir/report.json`.

        Args:
            endpoint: the model under test.
            options: the cases and settings.
            out_dir: folder for the harness's files; an unfinished run in it continues.
            home: GEM_HOME, in which GEM installs the environment if necessary.
            progress: called with the activity, finished tries and total tries.
            sandbox: strictness of the confinement.

        Raises:
            UserError: an endpoint does not answer or keeps failing, a case does not exist, or the folder belongs to
                another run.
            HarnessError: the harness failed, or left out cases.
        """
        translators = self._translators(endpoint, options)
        python = ensure(home, self.name, progress)
        started = time.monotonic()
        path = keep_job(out_dir, self.job(endpoint, options, out_dir))
        with reading(out_dir, self.most_file_bytes):
            self.prepare(out_dir, options)
        ran = self._run(
            self._confined(endpoint, options, translators, python, path), options, out_dir, progress, sandbox
        )
        with reading(out_dir, self.most_file_bytes):
            found = self.scored(out_dir, ran.plan, options)
        report = EvalReport(
            harness=self.name,
            model=endpoint.model,
            scores=found.scores,
            cases=found.cases,
            settings=self._as_sent(self.settings(options), translators, ran.tasks_sha256),
            seconds=time.monotonic() - started,
            measures=found.measures,
        )
        return save_report(out_dir, report)

    @abstractmethod
    def asked(self, endpoint: Endpoint, options: Options) -> dict[str, Endpoint]:
        """Every endpoint that the harness calls, by its name in `environment`."""

    @abstractmethod
    def categories(self, options: Options) -> tuple[str, ...]:
        """The categories that the options select."""

    @abstractmethod
    def category_of(self, case: str) -> str:
        """The category of a case, by its id."""

    @abstractmethod
    def job(self, endpoint: Endpoint, options: Options, out_dir: Path) -> Json:
        """The job file of `envs/NAME/run.py`, without keys."""

    @abstractmethod
    def settings(self, options: Options) -> RunSettings:
        """The settings of the run, for the report."""

    @abstractmethod
    def scored(self, out_dir: Path, plan: Cases, options: Options) -> Scored:
        """Reads the harness's results.

        Raises:
            HarnessError: it left out cases.
        """

    def without_temperature(self, options: Options) -> frozenset[str]:
        """Endpoints that are to choose their own temperature, although the harness sends one."""
        return frozenset()

    def prepare(self, out_dir: Path, options: Options) -> None:
        """Prepares the files of a run, which may be unfinished."""

    def done(self, out_dir: Path, plan: Cases) -> int:
        """Number of planned tries with results of an unfinished run."""
        return 0

    def tries(self, options: Options) -> int:
        """The number of tries per case."""
        return 1

    def wanted(self, options: Options) -> tuple[str, ...]:
        """The selected case ids; empty for all cases."""
        if options.ids or options.subset == "full":
            return options.ids
        return tuple(case for case in self.smoke if self.category_of(case) in self.categories(options))

    def subset(self, options: Options) -> str:
        """The selected cases, in one word for the report."""
        digest = sha256("\n".join(sorted(options.ids)).encode()).hexdigest()[:12]
        return f"ids:{digest}" if options.ids else options.subset

    def _translators(self, endpoint: Endpoint, options: Options) -> dict[str, Translator]:
        """How each endpoint wants its requests, once it has answered one."""
        found: dict[str, Translator] = {}
        for name, each in self.asked(endpoint, options).items():
            dialect = require_healthy(each, options.thinking if name == self.under_test else None)
            if name in self.without_temperature(options):
                dialect = dialect.model_copy(update={"dropped": (*dialect.dropped, "temperature")})
            found[name] = Translator(dialect)
        return found

    def _as_sent(self, settings: RunSettings, translators: Mapping[str, Translator], digest: str | None) -> RunSettings:
        """The settings, without what the endpoints refused."""
        refused = {name: list(each.not_sent) for name, each in translators.items() if each.not_sent}
        update: Json = {"tasks_sha256": digest}
        if "temperature" in refused.get(self.under_test, ()):
            update["temperature"] = None
        if refused:
            update["extra"] = settings.extra | {"not_sent": refused}
        return settings.model_copy(update=update)

    def _confined(
        self, endpoint: Endpoint, options: Options, translators: Mapping[str, Translator], python: Path, job: Path
    ) -> Job:
        folder = shipped("envs") / self.name
        return Job(
            command=(str(python), str(folder / "run.py"), str(job.absolute())),
            folder=job.parent.absolute(),
            reads=(folder,),
            environment=dict(self.environment),
            upstreams={
                name: Upstream(
                    base_url=each.base_url,
                    key=each.api_key,
                    timeout_s=options.request_timeout_s + _GRACE_S,
                    carry=translators[name],
                )
                for name, each in self.asked(endpoint, options).items()
            },
        )

    def _run(self, job: Job, options: Options, out_dir: Path, progress: Progress, sandbox: SandboxMode) -> Ran:
        """Runs the job."""
        plan: Cases = {}
        digest: str | None = None
        done, what, failures = 0, "start", 0
        for event in events(job, out_dir / "harness.log", options.timeout_s, sandbox):
            match event:
                case {"event": "unknown", "ids": [first, *_]}:
                    raise UserError(
                        f"{self.title} has no case {first!r} in these {self.groups}", f"Ids look like {self.example}."
                    )
                case {"event": "tasks", "sha256": str(found)} if not plan and _SHA256.fullmatch(found):
                    digest = found
                case {"event": "plan"} if not plan:
                    plan, what = planned(event.get("ids"), self.categories(options)), self.doing
                    done = self.done(out_dir, plan)
                case {"event": "call", "error": error}:
                    failures = failures + 1 if error else 0
                    if failures >= _TOO_MANY_FAILURES:
                        why = beginning(str(error), 300)
                        raise UserError(f"The endpoints keep failing: {why}", "Fix the problem, then run it again.")
                    continue
                case {"event": "case"}:
                    done += 1
                case {"event": "phase", "name": str(name)}:
                    what = name
                case _:
                    pass
            progress(f"{self.name}: {what}", done, self.tries(options) * sum(map(len, plan.values())))
        return Ran(plan, digest)
