"""Turns a reply without an answer into one canonical `EndpointError`, by its words first: statuses are unreliable.

Order matters: billing and moderation come as 400, 403 or 429, overflow as 400 or 413, and the remaining 400s are
complaints about a parameter.
"""

from collections.abc import Mapping

from gem_tasks.errors import Complaint, EndpointError, ErrorClass
from gem_tasks.llm.moments import seconds_until
from gem_tasks.llm.responses.envelope import read_complaint
from gem_tasks.patterns import IgnoringCase
from gem_tasks.redaction import beginning

_BY_STATUS = {
    401: ErrorClass.AUTH,
    402: ErrorClass.NO_CREDIT,
    403: ErrorClass.FORBIDDEN,
    404: ErrorClass.UNKNOWN_MODEL,
    408: ErrorClass.TIMEOUT,
    409: ErrorClass.SERVER_ERROR,
    413: ErrorClass.CONTEXT_LENGTH,
    425: ErrorClass.SERVER_ERROR,
    429: ErrorClass.RATE_LIMITED,
    498: ErrorClass.SERVER_ERROR,
}
_NO_KEY = IgnoringCase(r"invalid_api_key|api_key_invalid|(invalid|incorrect) api key|api key not valid")
_MONEY = IgnoringCase(  # each begins with a letter: the engine skips what is none of these letters
    r"credit_balance_exhausted|organization_(?:spend|usage)_limit_exceeded|project_(?:spend|usage)_limit_exceeded"
    r"|billing_hard_limit_reached|billing_error|budget_?exceeded|exceeded_?budget|budget has been exceeded"
    r"|credit balance|insufficient[ _](?:account )?(?:balance|credits?|funds)|balance is (?:not|in)\W?sufficient"
    r"|out of credits?|payment required|余额不足|欠费|specified api usage limits|arrearage|monthly included credits"
    r"|enforced_spend_limit_reached|contract_spend_limit_reached|linked_organization_spend_limit_reached"
    r"|linked_organization_billing_unavailable|you have reached your specified|exceeded_current_quota"
    r"|code(?<!\wcode)\W{1,6}1113\b",
)
_QUOTA = IgnoringCase(r"insufficient_quota")
_RATE = IgnoringCase(r"allocated quota|rate limit|per minute|throttling\.|\b[rt]pm\b")
"""With these words, `insufficient_quota` means only a rate limit; other words about money mean money."""
_MODERATION = IgnoringCase(
    r"content_filter|content_policy_violation|responsibleaipolicyviolation|data_inspection_failed|high risk"
    r"|requires moderation|flagged_input|content management policy|\bcode\W{1,6}1301\b",
)
_OVERFLOW = IgnoringCase(
    r"context_length_exceeded|maximum context length|context length is only|exceeds? the context window"
    r"|exceed(ed)? model token limit|prompt is too long|input token count .{0,80}exceeds the maximum"
    r"|maximum prompt length|reduce the length of the|available context size|exceed_context_size_error"
    r"|greater than the context length|longer than the model's context length|too large for model with"
    r"|range of input length should be|context window exceeds limit|prompt exceeds max length"
    r"|tokens \+ `?max_new_tokens`? must be|input is too long for|input token length too long"
    r"|contextwindowexceedederror|greater than max_(model_len|total_tokens)|longer than the maximum model length"
    r"|context length of only|exceeds? (the )?context (limit|length)|input tokens exceed|while (the )?limit is \d"
    r"|token count of \d+ exceeds the limit",
)
_OVERLOAD = IgnoringCase(r"overloaded|engine_overloaded|\bUNAVAILABLE\b|no deployments available")
_MODEL = IgnoringCase(
    r"model_?not_?found|deploymentnotfound|model.?not.?exist|no such model|unknown model"
    r"|model\b.{0,80}(does not exist|(was )?not found|is not available for this api key)|not allowed to access model",
)
_REFUSED_FIELD = IgnoringCase(r"validation error|literal_error|extra_forbidden|unsupportedparams|tools param requires")
"""Servers that answer 500 when they refuse a request: llama-cpp-python's, llama.cpp without --jinja, some gateways."""
_INVALID = IgnoringCase(r"invalid_?(request|parameter)|bad_?request|unsupported_(parameter|value)")
_NO_ROUTE = IgnoringCase(r"no endpoints (found )?(that )?support")
OVERLOADED = frozenset({429, 498, 503, 529})
"""Statuses that ask for fewer requests; 529 is Anthropic's, 498 Groq's."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_OVERFLOWS = frozenset({200, 400, 413, 422, 500})
_REFUSES = frozenset({200, 400, 403, 422, 451})


def from_status(status: int, headers: Mapping[str, str], body: bytes | str) -> EndpointError:
    """The canonical error for a reply whose status is not 200.

    Args:
        status: HTTP status.
        headers: have case-insensitive lookup.
        body: an envelope of any form, or arbitrary text.
    """
    return from_complaint(status, headers, read_complaint(body))


def from_complaint(status: int, headers: Mapping[str, str], complaint: Complaint) -> EndpointError:
    """Like `from_status`, for a body that was already parsed."""
    # Half a character cannot be stored.
    complaint = Complaint._make(each.encode("utf-8", "replace").decode() for each in complaint)
    retry_s = retry_after_s(headers)
    found = _class(status, complaint, retry_s)
    place = beginning(headers.get("location", "nowhere"), 200)
    moved = f"the endpoint has moved to {place}" if status in _MOVED else ""
    error = EndpointError(found, f"HTTP {status}: {moved or complaint.message[:300]}", retry_s)
    error.complaint = complaint
    asks_for_less = status in OVERLOADED or (found is ErrorClass.SERVER_ERROR and _OVERLOAD.search(complaint.text))
    error.overloaded = bool(asks_for_less) and found is not ErrorClass.NO_CREDIT
    return error


def _class(status: int, complaint: Complaint, retry_s: float | None) -> ErrorClass:
    text = complaint.text
    if status == 401 or (status < 500 and _NO_KEY.search(text)):
        return ErrorClass.AUTH
    if status < 500 and (status == 402 or _MONEY.search(text) or _QUOTA.search(text)):
        at_once = status == 429 and _RATE.search(text) and not _MONEY.search(text)
        in_time = at_once or (status == 402 and retry_s is not None)
        return ErrorClass.RATE_LIMITED if in_time else ErrorClass.NO_CREDIT
    if status in _REFUSES and _MODERATION.search(text):
        return ErrorClass.REFUSED
    if status in _OVERFLOWS and _OVERFLOW.search(text):
        return ErrorClass.CONTEXT_LENGTH
    if status in {400, 404, 422} and _NO_ROUTE.search(text):
        return ErrorClass.BAD_REQUEST
    if status < 500 and _MODEL.search(text):
        return ErrorClass.UNKNOWN_MODEL
    if (status == 500 and _REFUSED_FIELD.search(text)) or (status == 501 and complaint.message):
        return ErrorClass.BAD_REQUEST
    if status in _MOVED:  # no request is at fault, and GEM never sends a key to another host by itself
        return ErrorClass.SERVER_ERROR
    if status == 200:  # an error despite the status
        return ErrorClass.BAD_REQUEST if _INVALID.search(text) else ErrorClass.SERVER_ERROR
    return _BY_STATUS.get(status) or (ErrorClass.SERVER_ERROR if status >= 500 else ErrorClass.BAD_REQUEST)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or `Retry-After`, in any of the forms of `moments`."""
    if milliseconds := seconds_until(headers.get("retry-after-ms", "")):
        return milliseconds / 1000
    return seconds_until(headers.get("retry-after", ""))
