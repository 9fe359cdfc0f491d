"""A small world behind the tools of `tests.factories`, as a model would write it."""

import json

STATE = {
    "now": "2026-03-12T09:00:00Z",
    "loans": {f"L-{n}": {"id": f"L-{n}", "title": f"Book {n}", "weeks": 3, "renewals": n % 3} for n in range(7, 14)},
}
RULES = [
    {"text": "A loan is renewed at most twice.", "quote": "Renew it, at most **twice**.", "tools": ["renew_loan"]},
    {"text": "A renewal has at least one week.", "quote": None, "tools": ["renew_loan", "helper"]},
]
IDS = {"renewal": {"format": "R{n:5}", "next": 417, "step": 3}}
RUN = [
    {"name": "get_loan", "arguments": {"loan_id": "L-7"}},
    {"name": "renew_loan", "arguments": {"loan_id": "$1.loan.id", "weeks": 2}},
]
CODE = """function get_loan(state, args) {
  const loan = state.loans[args.loan_id];
  return loan ? {loan} : fail("NOT_FOUND", "No loan " + args.loan_id + ".");
}
function renew_loan(state, args) {
  const loan = state.loans[args.loan_id];
  if (!loan) return fail("NOT_FOUND", "No loan " + args.loan_id + ".");
  if (args.weeks < 1) return fail("TOO_SHORT", "weeks is " + args.weeks + ", minimum is 1.");
  if (loan.renewals >= 2) return fail("LIMIT", "Renewed " + loan.renewals + " times, maximum is 2.");
  loan.renewals += 1;
  loan.weeks += args.weeks;
  return {renewal_id: nextId(state, "renewal"), loan: clone(loan)};
}"""


def answer(**parts: str) -> str:
    """The whole answer, with other parts by tag; an empty one is left out."""
    whole = {"state": json.dumps(STATE), "rules": json.dumps(RULES), "reads": '["get_loan"]'}
    whole |= {"ids": json.dumps(IDS), "run": json.dumps(RUN), "code": CODE} | parts
    return "\n".join(f"<{tag}>{text}</{tag}>" for tag, text in whole.items() if text)
