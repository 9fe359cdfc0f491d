"""Turns whatever the SDK raises into one canonical `EndpointError`. The only place that knows the SDK's exceptions."""

import openai

from gem_tasks.errors import EndpointError, ErrorClass

_BY_STATUS = {
    401: ErrorClass.AUTH,
    403: ErrorClass.AUTH,
    404: ErrorClass.UNKNOWN_MODEL,
    408: ErrorClass.TIMEOUT,
    409: ErrorClass.SERVER_ERROR,
    429: ErrorClass.RATE_LIMITED,
}


def classify(error: openai.OpenAIError) -> EndpointError:
    """The canonical error for one failed request."""
    match error:
        case openai.APITimeoutError():
            return EndpointError(ErrorClass.TIMEOUT, "no complete answer within the time limit")
        case openai.APIConnectionError():
            return EndpointError(ErrorClass.CONNECTION, str(error.__cause__ or error)[:300])
        case openai.APIStatusError():
            return EndpointError(_status_class(error), f"HTTP {error.status_code}: {error.message[:300]}", _wait(error))
        case _:
            # A body that is no JSON, or a field missing: the server broke off or speaks another protocol.
            return EndpointError(ErrorClass.SERVER_ERROR, f"unusable answer: {str(error)[:300]}")


def _status_class(error: openai.APIStatusError) -> ErrorClass:
    if error.code == "context_length_exceeded":
        return ErrorClass.CONTEXT_LENGTH
    if error.code == "insufficient_quota":
        return ErrorClass.AUTH
    known = _BY_STATUS.get(error.status_code)
    return known or (ErrorClass.SERVER_ERROR if error.status_code >= 500 else ErrorClass.BAD_REQUEST)


def _wait(error: openai.APIStatusError) -> float | None:
    """Seconds from a numeric `Retry-After` (RFC 9110 section 10.2.3); its date form is not used by LLM servers."""
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None
