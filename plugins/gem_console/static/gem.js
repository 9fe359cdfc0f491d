// Comfort for the pages: they work without it, except for acting. Text is only ever set as text.
const root = document.documentElement.dataset.root;
const airflow = document.documentElement.dataset.airflow;
const framed = parent !== window;

// ---- links to Airflow leave the frame: a frame may not navigate its window, but a link in that window may be clicked
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || !framed || event.ctrlKey || event.metaKey || event.button) return;
  event.preventDefault();
  leave(link.href);
});

function leave(href) {
  try {
    const link = parent.document.createElement("a");
    link.href = href;
    parent.document.body.append(link);
    link.click();
    link.remove();
  } catch { location.href = href; }
}

// ---- filters apply when they change; a search that is one id goes there
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) submit(event.target.form);
});
document.addEventListener("submit", (event) => {
  if (event.target.method === "get" && event.target.matches(".filters:not([data-backfill])")) { event.preventDefault(); submit(event.target); }
});

function submit(form) {
  const given = [...new FormData(form)].filter(([, value]) => value !== "");
  const action = form.getAttribute("action") ?? location.pathname;
  location.href = `${action}?${new URLSearchParams(given)}`;
}

// ---- keys
let pending = "";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea")) { if (event.key === "Escape") event.target.blur(); return; }
  if (pending === "g") {
    pending = "";
    const tab = document.querySelector(`.top a[data-key="${CSS.escape(event.key)}"]`);
    if (tab) { event.preventDefault(); tab.click(); }
    return;
  }
  if (event.key === "/") { event.preventDefault(); document.getElementById("jump").focus(); }
  else if (event.key === "g") pending = "g";
  else if (event.key === "n") document.querySelector("a[rel=next]")?.click();
  else if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
});

function move(step) {
  const links = [...document.querySelectorAll("table.rows tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
  const stops = links.length ? links : [...document.querySelectorAll(".message .anchor")];
  if (!stops.length) return;
  const here = stops.indexOf(document.activeElement);
  const next = stops[Math.max(0, Math.min(stops.length - 1, here + step))];
  next.focus();
  next.scrollIntoView({ block: "center" });
}

// ---- copy, download, fold
document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy], [data-copy-from]");
  if (copy) {
    const text = copy.dataset.copy ?? document.getElementById(copy.dataset.copyFrom).textContent;
    await toClipboard(text);
    const label = copy.textContent;
    copy.textContent = "copied";
    setTimeout(() => { copy.textContent = label; }, 1200);
  }
  const download = event.target.closest("[data-download]");
  if (download) {
    event.preventDefault();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([document.getElementById(download.dataset.download).textContent], { type: "application/json" }));
    link.download = download.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  const fold = event.target.closest("[data-fold]");
  if (fold) document.querySelectorAll("main details").forEach((one) => { one.open = fold.dataset.fold === "open"; });
});

async function toClipboard(text) {
  try { await navigator.clipboard.writeText(text); return; } catch { /* plain HTTP has no clipboard */ }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

// ---- a place in a folded part is unfolded
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  if (target) target.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", reveal);
reveal();

// ---- the reader's own time, besides UTC
function localTimes(within) {
  within.querySelectorAll("time[datetime]").forEach((one) => { one.title = new Date(one.dateTime).toLocaleString(); });
}
localTimes(document);

// ---- live: the part that moves is fetched again and put in place; nothing in it is ever run
const live = () => document.getElementById("live");
async function refresh() {
  const old = live();
  if (!old) return;
  try {
    if (!document.hidden) {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
        if (fresh && fresh.innerHTML !== old.innerHTML) { old.replaceWith(document.adoptNode(fresh)); localTimes(live()); }
      }
    }
  } catch { /* the next one may work */ }
  setTimeout(refresh, live().dataset.live === "on" ? 4000 : 20000);
}
if (live()) setTimeout(refresh, live().dataset.live === "on" ? 4000 : 20000);

// ---- gates that wait for a person: Airflow knows, and says it to those who may see it
const waiting = document.getElementById("waiting");
async function gates() {
  const path = `${airflow}api/v2/dags/~/dagRuns/~/hitlDetails?response_received=false&state=awaiting_input&limit=50`;
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const found = (await answer.json()).hitl_details.map((one) => one.task_instance).filter((one) => one.dag_id.startsWith("gem_"));
  waiting.replaceChildren();
  waiting.hidden = !found.length;
  if (!found.length) return;
  waiting.append(`${found.length} waiting for a person: `);
  for (const one of found.slice(0, 5)) {
    const link = document.createElement("a");
    const index = one.map_index >= 0 ? `/mapped/${one.map_index}` : "";
    link.href = `${airflow}dags/${encodeURIComponent(one.dag_id)}/runs/${encodeURIComponent(one.dag_run_id)}/tasks/${encodeURIComponent(one.task_id)}${index}/required_actions`;
    link.dataset.airflow = "";
    link.textContent = one.task_id;
    waiting.append(link, " ");
  }
  if (found.length > 5) {
    const all = document.createElement("a");
    all.href = `${airflow}required_actions`;
    all.dataset.airflow = "";
    all.textContent = "all";
    waiting.append(all);
  }
}
if (waiting) gates().catch(() => {});

// ---- retry: asked twice, done as the user who is logged in
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-retry]");
  if (!button) return;
  if (!button.dataset.sure) {
    button.dataset.sure = "1";
    button.textContent = "sure? click again";
    return;
  }
  button.disabled = true;
  const said = document.getElementById("said");
  const answer = await fetch(`${root}api/failures/retry`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ which: { stage: button.dataset.stage, error_class: button.dataset.class } }),
  });
  const body = await answer.json();
  said.hidden = false;
  said.replaceChildren();
  if (!answer.ok) {
    said.textContent = answer.status === 403 ? "You do not have permission to start runs." : `The request failed: ${JSON.stringify(body.detail)}`;
    return;
  }
  said.append(`${body.segments} segments are marked for a retry. `);
  for (const run of body.runs) {
    if (run.problem) { said.append(`${run.partition}: ${run.problem} `); continue; }
    const link = document.createElement("a");
    link.href = `${airflow}dags/gem_synthesize/runs/${encodeURIComponent(run.run_id)}`;
    link.dataset.airflow = "";
    link.textContent = run.partition;
    said.append(link, " ");
  }
});

// ---- backfill: prepared (Airflow counts the runs), then started as the user who is logged in
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-backfill]");
  if (!form) return;
  event.preventDefault();
  const dry = event.submitter?.name !== "start";
  const said = form.querySelector(".said");
  const given = new FormData(form);
  const answer = await fetch(`${root}api/backfills`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ first: `${given.get("first")}:00Z`, last: `${given.get("last")}:00Z`, dry_run: dry }),
  });
  const body = await answer.json();
  if (!answer.ok) said.textContent = answer.status === 403 ? "You do not have permission to start runs." : JSON.stringify(body.detail);
  else if (body.problem) said.textContent = body.problem;
  else if (dry) said.textContent = `${body.runs} runs of gem_ingest`;
  else said.textContent = `Backfill ${body.backfill_id} started`;
  form.querySelector("[name=start]").hidden = !(dry && answer.ok && body.runs);
});
