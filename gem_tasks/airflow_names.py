"""What GEM is called in Airflow: DAGs, the pool, the answers of a gate. Deployments and clients rely on these names."""

INGEST = "gem_ingest"
SYNTHESIZE = "gem_synthesize"
DISTILL = "gem_distill"
AUDIT = "gem_audit"
PREFILTER = "gem_prefilter"

LLM_POOL = "gem_llm"
"""Tasks that talk to the common LLM endpoint; a stage with an endpoint of its own has `gem_llm_{stage}`."""

CONTINUE = "Continue"
HALT = "Halt"
"""The two answers that a person gives at a gate; `gem gates` sends them word for word."""


def pool_of(stage: str) -> str:
    """The pool of a stage with an endpoint of its own."""
    return f"{LLM_POOL}_{stage}"
