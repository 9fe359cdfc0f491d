"""The paper's own figures (arXiv 2601.10355, tables 2 to 6), as reference rows for leaderboards and reports.

In per cent. Its harness, mode, thinking and seeds are not reported, and BFCL's multi-turn data were fixed since, so
they are shown next to GEM's numbers, and the promotion never compares the two.
"""

from gem_tasks.domain.base import Value


class Reference(Value):
    """One row; None where the paper has no number."""

    model: str
    bfcl: float | None = None
    bfcl_base: float | None = None
    bfcl_miss_func: float | None = None
    bfcl_miss_param: float | None = None
    bfcl_long_context: float | None = None
    airline_avg4: float | None = None
    airline_pass4: float | None = None
    retail_avg4: float | None = None
    retail_pass4: float | None = None


_COLUMNS = tuple(Reference.model_fields)[1:]


def _row(model: str, *values: float | None) -> Reference:
    return Reference.model_validate({"model": model, **dict(zip(_COLUMNS, values, strict=False))})


PAPER: tuple[Reference, ...] = (
    _row("Qwen3-8B", 18.00, 24.0, 17.0, 13.5, 17.5, 13, 18, 38.16, 66.67),
    _row("GEM-8B", 30.25, 40.0, 30.0, 28.0, 23.0, 22, 40, 44.52, 75.44),
    _row("Qwen3-32B", 28.38, 34.0, 24.5, 25.5, 29.5, 21, 40, 43.20, 70.18),
    _row("GEM-32B", 44.88, 52.0, 40.0, 38.5, 49.0, 35.5, 56, 55.48, 86.84),
    _row("GPT-4.1", 38.88),
    _row("DeepSeek-V3.2-Exp", 37.38),
    _row("Gemini-2.5-Flash", 36.25),
    _row("8B, no refinement", 26.00, None, None, None, None, 25, 36, 41.23, 74.56),
    _row("8B, no judge", 27.38, None, None, None, None, 22, 36, 42.76, 71.05),
    _row("32B, no refinement", 32.50, None, None, None, None, 31, 56, 40.35, 73.68),
    _row("32B, no judge", 44.25, None, None, None, None, 35, 52, 56.80, 82.46),
    _row("8B, synthesizer on Ultra-FineWeb", 28.38, 41.5, 23.5, 27.5, 21.0, 26, 40, 42.11, 73.68),
    _row("8B, synthesizer on WikiHow", 28.50, 43.5, 22.0, 27.0, 21.5, 25, 42, 39.67, 68.42),
)
