"""A world of the size that a model writes: 10 tools, 40 records in 5 tables; and a conversation of 24 calls in it."""

from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.world import Clock, IdFormat, Tool, World

TITLES = (
    "Estuaries",
    "Low Water",
    "The Ferry",
    "Harbour Lights",
    "Low Tide",
    "Salt",
    "Dunes",
    "A Pilot's Year",
    "Reeds",
    "Moorings",
)
CODE = """
const OPEN = ["available", "reserved"];
function has(text, part) { return text.toLowerCase().includes(part.toLowerCase()); }
function copiesOf(state, book) { return filterBy(values(state.copies), {book_id: book}); }
function loansOf(state, member) { return filterBy(values(state.loans), {member_id: member, returned_at: null}); }
function shown(state, loan) {
  const copy = state.copies[loan.copy_id];
  return {id: loan.id, title: state.books[copy.book_id].title, copy_id: loan.copy_id, due_at: loan.due_at, renewals: loan.renewals};
}
function search_books(state, args) {
  const found = sortBy(values(state.books).filter((book) => has(book.title, args.title_contains ?? "")), "title");
  return page(found.map((book) => ({id: book.id, title: book.title, year: book.year})), {limit: 5});
}
function get_book(state, args) {
  const book = state.books[args.book_id];
  if (!book) return fail("BOOK_NOT_FOUND", "No book " + args.book_id + ".");
  return {...book, copies: copiesOf(state, book.id).length};
}
function list_copies(state, args) {
  if (!state.books[args.book_id]) return fail("BOOK_NOT_FOUND", "No book " + args.book_id + ".");
  return {copies: copiesOf(state, args.book_id).map((copy) => ({id: copy.id, status: copy.status}))};
}
function get_member(state, args) {
  const member = state.members[args.member_id];
  return member ? {id: member.id, name: member.name, blocked: member.blocked} : fail("MEMBER_NOT_FOUND", "No member " + args.member_id + ".");
}
function list_loans(state, args) {
  return {loans: loansOf(state, args.member_id).map((loan) => shown(state, loan))};
}
function get_rule(state, args) {
  const rule = state.rules[args.kind];
  return rule ? {...rule} : fail("RULE_NOT_FOUND", "No rule " + args.kind + ".");
}
function check_out(state, args) {
  const member = state.members[args.member_id], copy = state.copies[args.copy_id];
  if (!member) return fail("MEMBER_NOT_FOUND", "No member " + args.member_id + ".");
  if (!copy) return fail("COPY_NOT_FOUND", "No copy " + args.copy_id + ".");
  if (member.blocked) return fail("MEMBER_BLOCKED", member.name + " is blocked.");
  if (!OPEN.includes(copy.status)) return fail("COPY_NOT_AVAILABLE", "Copy " + copy.id + " is " + copy.status + ".");
  if (loansOf(state, member.id).length >= state.rules.loans.most) return fail("TOO_MANY_LOANS", "At most " + state.rules.loans.most + " loans.");
  const id = nextId(state, "loan"), due_at = addSeconds(state.now, state.rules.days.most * 86400);
  state.loans[id] = {id, member_id: member.id, copy_id: copy.id, due_at, renewals: 0, returned_at: null};
  copy.status = "lent";
  return {loan_id: id, due_at};
}
function renew_loan(state, args) {
  const loan = state.loans[args.loan_id];
  if (!loan || loan.returned_at) return fail("LOAN_NOT_FOUND", "No open loan " + args.loan_id + ".");
  if (loan.renewals >= state.rules.renewals.most) return fail("NO_MORE_RENEWALS", "Renewed " + loan.renewals + " times, maximum is " + state.rules.renewals.most + ".");
  loan.renewals += 1; loan.due_at = addSeconds(loan.due_at, state.rules.days.most * 86400);
  return {loan_id: loan.id, due_at: loan.due_at, renewals: loan.renewals};
}
function return_copy(state, args) {
  const loan = values(state.loans).find((each) => each.copy_id === args.copy_id && !each.returned_at);
  if (!loan) return fail("NOT_LENT", "Copy " + args.copy_id + " is not lent.");
  loan.returned_at = state.now; state.copies[args.copy_id].status = "available";
  return {loan_id: loan.id, returned_at: loan.returned_at};
}
function reserve_copy(state, args) {
  const copy = state.copies[args.copy_id];
  if (!copy || copy.status !== "available") return fail("COPY_NOT_AVAILABLE", "Copy " + args.copy_id + " cannot be reserved.");
  copy.status = "reserved"; copy.reserved_for = args.member_id;
  return {copy_id: copy.id, status: copy.status};
}
"""


def _rows(prefix, count, made):
    return {f"{prefix}-{n:02}": {"id": f"{prefix}-{n:02}", **made(n)} for n in range(1, count + 1)}


def _tool(name, *required):
    properties = {each: {"type": "string", "maxLength": 40} for each in (*required, "title_contains")}
    reads = name.split("_")[0] in ("search", "get", "list")
    return Tool(
        name=name, parameters={"type": "object", "properties": properties, "required": list(required)}, reads=reads
    )


WORLD = World(
    state={
        "now": "2026-03-12T09:00:00Z",
        "members": _rows("M", 8, lambda n: {"name": f"Member {n}", "mail": f"member{n}@example.org", "blocked": n == 8}),
        "books": _rows("B", 10, lambda n: {"title": TITLES[n - 1], "author": f"Author {n % 4}", "year": 1990 + n, "subjects": ["sea", "coast"]}),
        "copies": _rows("C", 12, lambda n: {"book_id": f"B-{n % 10 + 1:02}", "shelf": f"S{n % 3}", "status": "lent" if n > 9 else "available", "reserved_for": None}),
        "loans": _rows("L", 6, lambda n: {"member_id": f"M-{n:02}", "copy_id": f"C-{n % 3 + 10}", "due_at": "2026-03-20T09:00:00Z", "renewals": n % 3, "returned_at": None if n < 4 else "2026-03-01T10:00:00Z"}),
        "rules": {kind: {"kind": kind, "most": most} for kind, most in (("loans", 5), ("days", 21), ("renewals", 2), ("reservations", 3))},
    },
    code=CODE,
    tools=(
        _tool("search_books"), _tool("get_book", "book_id"), _tool("list_copies", "book_id"), _tool("get_member", "member_id"), _tool("list_loans", "member_id"),
        _tool("get_rule", "kind"), _tool("check_out", "member_id", "copy_id"), _tool("renew_loan", "loan_id"), _tool("return_copy", "copy_id"),
        _tool("reserve_copy", "member_id", "copy_id"),
    ),
    ids={"loan": IdFormat(format="L-{n:2}", next=31)},
    clock=Clock(per_call_s=2),
)  # fmt: skip


def _asked(name, /, **arguments):
    return Call(name=name, arguments=arguments)


CONVERSATION = [
    step
    for n in (1, 2, 3)
    for step in (
        _asked("get_member", member_id=f"M-{n:02}"),
        _asked("search_books", title_contains=("low", "sa", "e")[n - 1]),
        _asked("get_book", book_id=f"B-{n:02}"),
        _asked("list_copies", book_id=f"B-{n + 1:02}"),
        _asked("get_rule", kind="loans"),
        _asked("check_out", member_id=f"M-{n:02}", copy_id=f"C-{n:02}"),
        _asked("list_loans", member_id=f"M-{n:02}"),
        (_asked("renew_loan", loan_id="L-01"), _asked("return_copy", copy_id="C-10"), _asked("reserve_copy", member_id="M-03", copy_id="C-05"))[n - 1],
    )
]  # fmt: skip
