// Airflow's theme, before anything is painted: what its switch stores, or what the system wants. Follows changes.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let wanted = null;
    try { wanted = localStorage.getItem("theme"); } catch { /* storage may be off */ }
    const dark = wanted === "dark" || (wanted !== "light" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  };
  apply();
  addEventListener("storage", apply);
  system.addEventListener("change", apply);
  // Airflow stores before it repaints; in a frame of the same window no storage event says so.
  try {
    if (parent !== window) new MutationObserver(apply).observe(parent.document.documentElement, { attributes: true });
  } catch { /* not framed by Airflow */ }
})();
