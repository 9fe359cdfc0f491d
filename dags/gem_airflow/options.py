"""Options that several DAGs take."""

from airflow.sdk import Param

BUDGET = Param(
    None,
    type=["null", "number"],
    exclusiveMinimum=0,
    title="Budget in USD",
    description="The synthesis stops before it spends more, and can be continued. Empty: GEM_BUDGET_USD, or none.",
)
