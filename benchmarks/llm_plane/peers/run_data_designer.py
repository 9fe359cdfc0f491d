"""NeMo Data Designer: one text column over a seed of prompts, on a provider of our own."""

import tempfile
from pathlib import Path

import data_designer.config as dd
import pandas as pd
from common import MAX_TOKENS, MODEL, Clock, name, options, prompt
from data_designer.interface import DataDesigner

asked = options()
provider = dd.ModelProvider(name="bench", endpoint=asked.base_url, provider_type="openai", api_key="none")
model = dd.ModelConfig(
    alias="bench",
    model=MODEL,
    provider="bench",
    inference_parameters=dd.ChatCompletionInferenceParams(
        max_parallel_requests=asked.concurrency, max_tokens=MAX_TOKENS, timeout=600
    ),
    skip_health_check=True,
)
with tempfile.TemporaryDirectory() as folder:
    seed = Path(folder) / "seed.parquet"
    pd.DataFrame({"text": [prompt(number) for number in range(asked.calls)]}).to_parquet(seed)
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=str(seed)))
    builder.add_column(dd.LLMTextColumnConfig(name="answer", model_alias="bench", prompt="{{ text }}"))
    designer = DataDesigner(artifact_path=folder, model_providers=[provider])
    designer.set_run_config(dd.RunConfig(buffer_size=asked.calls))
    with Clock() as clock:
        made = designer.create(builder, num_records=asked.calls, dataset_name="bench").load_dataset()
done = sum(name(number) in text for number, text in enumerate(made["answer"]))
clock.write(asked.output, asked.calls, done)
