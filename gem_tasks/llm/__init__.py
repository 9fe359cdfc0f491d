"""The LLM endpoint: one client behind the `ChatClient` port.

| room | what |
|---|---|
| `client`, `batch/`, `question` | how a question is asked: at once, by a Batch API, once as a trial |
| `access`, `key_command` | keys and headers |
| `apis/` | Anthropic's and Gemini's APIs in terms of chat completions |
| `dialects/` | what an endpoint accepts, known or learned |
| `windows/`, `limits/` | how long a request may be; how many at once, how fast, how long they take |
| `http/` | the connections |
| `responses/` | what came back |
| `usage/` | tokens and prices |

Rooms use those further down only; import-linter holds it.
"""
