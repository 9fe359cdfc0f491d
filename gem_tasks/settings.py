"""All settings, loaded once by the CLI or a DAG task and passed down. `variables` lists those read elsewhere.

Order: `GEM_*` variables, then `{GEM_HOME}/services.env` (written by `gem up`), then the defaults here.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.key_source import KeyCommand, KeySource
from gem_tasks.domain.request_options import RequestOptions, read_options
from gem_tasks.domain.s3_access import S3Access
from gem_tasks.domain.stage import HAVE_SETTINGS, Reasoning, StageName, settings_of
from gem_tasks.domain.stage_settings import Command, LLMMode, StageSettings, read_by_stage, variable
from gem_tasks.domain.take import MOST_TASKS
from gem_tasks.domain.web_access import WebAccess
from gem_tasks.errors import UserError
from gem_tasks.redaction import know
from gem_tasks.redaction.sources import in_data, in_dsn, in_environment, in_headers, in_url
from gem_tasks.variables import Unread, log_unread, refuse_unknown, unread

_NOTHING: Mapping[str, str] = {}


class Settings(BaseSettings):
    """Every setting, with its unit."""

    model_config = SettingsConfigDict(env_prefix="GEM_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Path(".gem")
    """Folder for the state of the embedded services, which write nothing outside it."""

    postgres_dsn: SecretStr | None = None
    """`postgresql://user:password@host:port/database` of the lineage."""
    store_url: str | None = None
    """A directory, or `s3://bucket/prefix`. Default: `{home}/store`."""

    airflow_url: str | None = None
    """Address of Airflow's UI and REST API. Default: the one that `gem up` started."""
    airflow_username: str = "admin"
    """Airflow user as whom `gem` starts runs and answers gates."""
    airflow_password: SecretStr | None = None
    """Password of this user. Default: the one that `gem up` created."""

    llm_base_url: str | None = None
    """OpenAI-compatible endpoint ending in `/v1`. Default: the offline teacher."""
    llm_api_key: SecretStr | None = None
    """Key for the endpoint, from the environment or an Airflow Connection; `gem up` never writes it to disk."""
    llm_api_key_command: Command | None = None
    """Command that prints a short-lived key: `gcloud auth print-access-token`. Takes precedence over the key."""
    llm_model: str = "offline-rules"
    """Name of the model at the endpoint; the default is the offline teacher."""

    llm_mode: LLMMode = "online"
    """`batch` sends a stage's requests through the endpoint's Batch API: half the price, answers within a day."""
    llm_batch_poll_s: float = Field(default=60, gt=0)
    """Seconds between polls of a running batch."""

    llm_stages: dict[str, StageSettings] = Field(default_factory=dict)
    """Settings of single stages, by name: `load` reads them from `GEM_LLM_MODEL_FILTER` and similar variables."""
    llm_requests: dict[str, RequestOptions] = Field(default_factory=dict)
    """Request options by stage, with the common ones under an empty name: `read_options` reads them from
    `GEM_LLM_TEMPERATURE`, `GEM_LLM_TEMPERATURE_FILTER` and similar variables."""
    llm_dialects: Path | None = None
    """Known properties of your endpoints, in the format of `gem_tasks/llm/dialects/presets.toml`."""

    llm_prices: Path | None = None
    """Prices of your models, in the format of `gem_tasks/llm/usage/prices.toml`."""
    budget_usd: float | None = Field(default=None, gt=0)
    """Maximum cost of one run. A run that reaches it stops before the next call and can be continued."""

    llm_concurrency: int = Field(default=256, ge=1)
    """Maximum number of requests in flight per task; the actual number adapts to the endpoint."""
    llm_timeout_s: float = Field(default=600, gt=0)
    """Maximum seconds for one request, from sending to the last byte. The usual limit is lower: it depends on the
    request's token limit and on the duration of earlier answers."""
    llm_max_attempts: int = Field(default=6, ge=1)
    """Maximum number of HTTP requests per call, for 5xx, timeouts and lost connections together."""
    set_aside_after: int = Field(default=3, ge=1)
    """Number of runs without an answer to a segment after which GEM sets it aside as failed; `gem retry` retries it."""
    trace_segments: float = Field(default=0.01, ge=0, le=1)
    """Share of segments whose calls are traced one by one, if `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector. Failed
    and slow ones are traced in any case."""
    journal_every_s: float = Field(default=5, gt=0)
    """Seconds between chunks of answers sent to the object store; after a lost machine, GEM repeats these calls."""

    s3: S3Access = Field(default_factory=S3Access)
    """Access to buckets, from an Airflow Connection; otherwise from the usual `AWS_*` variables."""
    source_roots: str = ""
    """Folders and `s3://`, `hf://` or `https://` prefixes, separated by spaces, that must contain every source; empty:
    anything that the workers can read, except web sites at private addresses. Set it if people who may start runs must
    not read every file of a worker."""
    web_contact: str = Field(default="", max_length=200, pattern=r"^[\x21-\x7e]*$")
    """Your page or e-mail address for the operators of web sites that GEM reads; it is part of the User-Agent."""
    web_delay_s: float = Field(default=0.25, ge=0)
    """Seconds between two requests to a web site, unless its robots.txt asks for more."""
    web_per_host: int = Field(default=2, ge=1, le=16)
    """Maximum number of requests in flight to one web site."""
    web_timeout_s: float = Field(default=60, gt=0)
    """Maximum seconds for one web page, from the request to the last byte."""
    segment_target_tokens: int = Field(default=1200, ge=50)
    """Size in tokens up to which GEM joins neighbouring sections of a document."""
    segment_max_tokens: int = Field(default=2400, ge=100)
    """Size in tokens above which GEM cuts a segment, regardless of its structure."""
    segment_min_chars: int = Field(default=200, ge=0)
    """GEM rejects a document with fewer characters as `too_short`."""
    near_duplicate: float = Field(default=0.85, ge=0, le=1)
    """Similarity (Jaccard, of runs of five words) from which a segment counts as a repetition of an earlier one: the
    filter then rejects it without a call. 0 turns the search off."""
    quotas: str = ""
    """The most that a domain, platform or kind of task may be of the texts that pass:
    `domain:finance=10%,task:*=25%`. GEM holds texts over a quota until there is room. `none` releases them."""
    keep_contaminated: bool = False
    """Publish trajectories even if they overlap with benchmark test items; they are flagged."""
    exclude_names: bool = False
    """Leave out trajectories that name persons of their source text, from datasets, training sets and preferences. GEM
    counts and marks them in any case."""
    document_max_mb: float = Field(default=20, gt=0)
    """GEM rejects a larger single document as `too_large` without reading it into memory."""
    max_rows_per_file: int = Field(default=1_000_000, ge=1)
    """Maximum number of records from one JSONL, Parquet or WARC file; GEM reports the rest as `too_large`."""
    ingest_processes: int = Field(default=0, ge=0)
    """Processes that prepare the documents of one source; 0: one per core; 1: one, for long documents."""
    shard_segments: int = Field(default=2000, ge=1)
    """Maximum number of segments in a shard; one Airflow task handles one shard. Fewer, if workers would be idle."""
    llm_slots: int = Field(default=4, ge=1)
    """Slots of the pool `gem_llm`: tasks of a stage that run at once. GEM divides a large partition among them."""

    eval_api_key: SecretStr | None = None
    """Key for the endpoint that `gem eval` tests."""
    eval_user_api_key: SecretStr | None = None
    """Key for the simulated user of τ²-bench. Default: the key above, if both models are at the same address."""
    eval_endpoints: str = ""
    """Addresses, separated by spaces, below which a run of `gem_distill` may name servers; empty: anywhere. Users
    who start a run choose where GEM sends the keys above: set it if not all users may decide that."""

    sandbox: SandboxMode = "auto"
    """Confinement of harnesses, training and served weights. `auto`: as tightly as the machine allows. `require`:
    they do not run if files or network would stay open to them. `off`: a clean environment and limits only."""
    profiles: Path | None = None
    """A folder with your own training profiles; runs name a profile, never a file."""
    model_roots: str = ""
    """Folders, separated by spaces, that must contain the weights named by a run of `gem_distill`; empty: runs may name
    only models of the hub."""
    trust_remote_code: bool = False
    """Allow models and training profiles that bring code, pickles or settings like `trust_remote_code`, confined."""

    ground_api_key: SecretStr | None = None
    """Bearer token for the API that `gem ground-api` calls."""
    prompts: str | None = None
    """A directory, or `s3://bucket/prefix`, with your own prompts (`refine.md`, …); GEM's own replace missing ones."""
    plans: Path | None = None
    """Your own menus from which the plan of each conversation is drawn, in the format of `gem plans show`; a menu that
    the file leaves out is GEM's own."""
    reasoning: Reasoning = "off"
    """Private thoughts of the assistant in conversations. `ask`: the prompts of generate, refine and revise ask for a
    short one before each of its turns. `keep`: nothing is asked, but a thought that a model writes inside the
    assistant's turns (`<think>`, `<thought>`) is kept as one instead of refused as a stray tag. `off`: no thoughts."""
    max_workflows: int = Field(default=4, ge=1, le=100)
    """Maximum number of a text's workflows that GEM makes conversations of; the prompt of `extract` asks for up to 4.
    1: only the most complete one."""
    rollouts: int = Field(default=1, ge=1, le=100)
    """Number of conversations about each workflow, each with a separate plan."""
    prefilter: Literal["auto", "off"] = "auto"
    """`auto`: a classifier trained on the filter's own verdicts rejects hopeless segments without a call, once there
    are enough verdicts to prove that it keeps 98 % of what the filter would accept. `off`: every segment goes to the
    model."""
    retention_days: int = Field(default=30, ge=1)
    """Number of days for which `gem gc` keeps unused results."""

    revise: Literal["on", "off"] = "on"
    """`on`: GEM returns a conversation that checks or judge reject once to the refining model with the findings, and
    then validates it again. `off`: rejected conversations stay rejected."""
    worlds: Literal["off", "on"] = "off"
    """`on`: GEM also makes an executable world of each workflow, tasks in it, and conversations whose results come from
    the world, beside those written in one pass. `off`, because these take many requests for each conversation."""
    world_tasks: int = Field(default=3, ge=1, le=MOST_TASKS)
    """Number of a world's tasks that GEM makes conversations of."""
    world_attempts: int = Field(default=1, ge=1, le=100)
    """Number of conversations about each of these tasks."""
    synthesizer: Literal["off", "model"] = "off"
    """`model`: a trained synthesizer, at the endpoint and with the model of the stage `synthesize`, replaces extract,
    generate and refine by one call, for the groups of texts in which its trajectories pass the validation about as
    often as the pipeline's. Other texts, and those whose trajectory is refused, go through the other stages."""
    synthesizer_sample: float = Field(default=0.1, ge=0, le=1)
    """Share of the texts that go both ways, by the hash of their document: what the synthesizer is measured on."""
    synthesizer_window: int = Field(default=50, ge=1)
    """Newest samples of a group that count."""
    synthesizer_minimum: int = Field(default=20, ge=1)
    """Samples of a group that a decision takes; with fewer, the group stays as it was: closed, at first."""
    plans_judged: int = Field(default=0, ge=0)
    """Conversations of each new dataset version about which the model of `validate` says what they really are, beside
    their plans: one call each. 0: none."""
    gates: Path | None = None
    """Your own bounds, in the format of `gem_tasks/gates/gates.toml`; they replace those."""

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, *others: Any, **named: Any) -> Any:
        """Refuses arguments that are no setting. `extra="forbid"` would also refuse other lines of `services.env`."""
        refuse_unknown(init_settings.init_kwargs, cls.model_fields)
        return super().settings_customise_sources(settings_cls, init_settings, *others, **named)

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Every secret in these settings, with the name of the variable that holds it."""
        fields = [(f"GEM_{field.upper()}", value) for field, value in self]
        own = [(variable(field, stage), value) for stage, found in self.llm_stages.items() for field, value in found]
        for name, value in fields + own:
            match value:
                case SecretStr() if name.endswith("_DSN"):
                    yield from in_dsn(name, value.get_secret_value())
                case SecretStr():
                    yield name, value.get_secret_value()
                case S3Access(secret_access_key=SecretStr() as secret):
                    yield "AWS_SECRET_ACCESS_KEY", secret.get_secret_value()
                case str():
                    yield from (found for url in value.split() for found in in_url(name, url))
                case _:
                    pass
        for stage, options in self.llm_requests.items():
            yield from in_headers(variable("extra_headers", stage), options.headers)
            yield from in_data(variable("extra_body", stage), options.extra_body)

    @property
    def web(self) -> WebAccess:
        """How to visit web sites."""
        return WebAccess(
            contact=self.web_contact,
            delay_s=self.web_delay_s,
            per_host=self.web_per_host,
            timeout_s=self.web_timeout_s,
            most_bytes=int(self.document_max_mb * 1_000_000),
            roots=tuple(self.source_roots.split()),
        )

    def own(self, stage: str) -> StageSettings:
        """The settings of the stage, or those of the stage whose settings it shares."""
        return self.llm_stages.get(settings_of(stage)) or StageSettings()

    def with_models(self, models: Mapping[str, str | None] | Mapping[StageName, str | None]) -> "Settings":
        """These settings with other models of stages; None means the common model."""
        changed = {stage: self.own(stage).model_copy(update={"model": model}) for stage, model in models.items()}
        return self.model_copy(update={"llm_stages": self.llm_stages | changed})

    def model_for(self, stage: str) -> str:
        """The stage's own model, or the common one."""
        return self.own(stage).model or self.llm_model

    def mode_for(self, stage: str) -> LLMMode:
        """The stage's own mode, or the common one."""
        return self.own(stage).mode or self.llm_mode

    def options_for(self, stage: str) -> RequestOptions:
        """Options of the stage's requests. Common headers, like the common key, apply only to the common endpoint, and
        the common window only to the common model there.
        """
        common, own = (self.llm_requests.get(name) or RequestOptions() for name in ("", settings_of(stage)))
        if self.own(stage).base_url not in (None, self.llm_base_url):
            common = common.model_copy(update={"extra_headers": None, "api": None, "context_window": None})
        if self.own(stage).model not in (None, self.llm_model):
            common = common.model_copy(update={"context_window": None})
        return own.over(common)

    @property
    def store_root(self) -> str:
        """Returns `store_url` or its default."""
        return self.store_url or str(self.home.absolute() / "store")

    @property
    def database(self) -> str:
        """The lineage DSN in clear: for the driver only, never for a log.

        Raises:
            UserError: none is configured.
        """
        if self.postgres_dsn is None:
            raise UserError(
                "No lineage database is configured",
                "Run `gem up` for an embedded one, or set GEM_POSTGRES_DSN.",
            )
        return self.postgres_dsn.get_secret_value()

    def endpoint_for(self, stage: str) -> str:
        """The stage's own LLM endpoint, or the common one.

        Raises:
            UserError: none is configured.
        """
        found = self.own(stage).base_url or self.llm_base_url
        if found is None:
            raise UserError(
                "No LLM endpoint is configured",
                "Set GEM_LLM_BASE_URL, or install the offline teacher and run `gem up`.",
            )
        return found

    def key_for(self, stage: str) -> KeySource:
        """The key for the stage's endpoint, in clear, or the command that prints it: for the client only."""
        own = self.own(stage)
        key = _key(own.api_key, own.api_key_command)
        if key is None and own.base_url in (None, self.llm_base_url):
            return _key(self.llm_api_key, self.llm_api_key_command)
        return key


def _key(key: SecretStr | None, command: KeyCommand | None) -> KeySource:
    return command or (key.get_secret_value() if key else None)


def load(connected: Mapping[str, str] = _NOTHING) -> Settings:
    """Reads the environment and what `gem up` wrote; from then on, GEM removes all secrets in it from every text.

    Args:
        connected: variables from Airflow's Connections; the environment takes precedence.

    Raises:
        UserError: a variable has an invalid value.
    """
    home = _home()
    try:
        variables = _variables(home / "services.env") | dict(connected)
        fields = _fields(connected) | {
            "llm_stages": read_by_stage(StageSettings, variables, HAVE_SETTINGS),
            "llm_requests": read_options(variables, HAVE_SETTINGS),
            "s3": _access(connected),
        }
        settings = Settings(_env_file=home / "services.env", **fields)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        first = error.errors()[0]
        name = "GEM_" + "_".join(str(part) for part in first["loc"]).upper()
        raise UserError(f"{name}: {first['msg']}", "Correct or unset it.") from None
    for name, secret in (*settings.secrets(), *in_environment(os.environ)):
        know(name, secret)
    log_unread(unread_variables())
    return settings


def unread_variables() -> list[Unread]:
    """`GEM_*` variables that are set, in the environment or by `gem up`, and that nothing reads."""
    return list(unread(sorted(_variables(_home() / "services.env")), Settings.model_fields))


def _home() -> Path:
    return Path(os.environ.get("GEM_HOME") or ".gem")


def _variables(file: Path) -> dict[str, str]:
    """All variables that are set and not empty: from the environment, then from the file; in upper or lower case."""
    sources = DotEnvSettingsSource(Settings, env_file=file), EnvSettingsSource(Settings)
    return {name.upper(): value for source in sources for name, value in source.env_vars.items() if value}


def _fields(variables: Mapping[str, str]) -> dict[str, Any]:
    found = {name.removeprefix("GEM_").lower(): value for name, value in variables.items() if name.startswith("GEM_")}
    return {name: value for name, value in found.items() if name in Settings.model_fields}


def _access(variables: Mapping[str, str]) -> S3Access:
    fields = {"AWS_ENDPOINT_URL": "endpoint_url", "AWS_REGION": "region",
              "AWS_ACCESS_KEY_ID": "access_key_id", "AWS_SECRET_ACCESS_KEY": "secret_access_key"}  # fmt: skip
    return S3Access.model_validate({field: variables[name] for name, field in fields.items() if name in variables})
