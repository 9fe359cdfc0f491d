"""`transformers serve`, which answers 500 when a model writes a broken call: here the text stays text, as in vLLM.

Usage: python serve.py MODEL_FOLDER --host 127.0.0.1 --port PORT …
"""

import sys
from typing import Any

from transformers.cli.serving import chat_completion
from transformers.cli.transformers import main

_parse = chat_completion.parse_assistant_message


def parse(*given: Any, cleaned_content: str = "", **named: Any) -> Any:
    """Content, reasoning and calls; for a call that cannot be read, what was written."""
    try:
        return _parse(*given, cleaned_content=cleaned_content, **named)
    except Exception as error:  # a model can write anything
        print(f"unreadable call ({type(error).__name__}): {cleaned_content[:200]!r}", file=sys.stderr)
        return cleaned_content, None, None


if __name__ == "__main__":
    chat_completion.parse_assistant_message = parse
    sys.argv[1:1] = ["serve"]
    main()
