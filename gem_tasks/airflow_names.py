"""GEM's names in Airflow: DAGs, the pool, the answers of a gate. Deployments and clients rely on them."""

INGEST = "gem_ingest"
SYNTHESIZE = "gem_synthesize"
WORLDS = "gem_worlds"
DISTILL = "gem_distill"
AUDIT = "gem_audit"
PREFILTER = "gem_prefilter"

LLM_POOL = "gem_llm"
"""Pool of tasks that call the common LLM endpoint; a stage with a separate endpoint has `gem_llm_{stage}`."""

CONTINUE = "Go on"
HALT = "Halt"
"""The two answers that a person can give at a gate; `gem gates` sends them verbatim."""


def pool_of(stage: str) -> str:
    """The pool of a stage with a separate endpoint."""
    return f"{LLM_POOL}_{stage}"
