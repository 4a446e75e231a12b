// Live results while typing, and the keyboard: / j k Enter Esc.
"use strict";
(() => {
  const form = document.getElementById("ask");
  const box = document.getElementById("q");
  const results = document.getElementById("results");
  const hits = () => [...document.querySelectorAll(".hit")];
  let running = new AbortController();
  let timer = 0;
  let shown = form ? address() : "";

  function address() {
    const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim()));
    return asked.size ? `/?${asked}` : "/";
  }

  async function ask(where = address()) {
    clearTimeout(timer);
    if (where === shown) return;
    shown = where;
    running.abort();
    running = new AbortController();
    history.replaceState(null, "", where);
    document.title = `${box.value.trim() || "Search"} - pgduet`;
    await fetchPart(results, where, running.signal);
  }

  function choose(step) {
    const all = hits();
    if (!all.length) return;
    const now = all.findIndex((hit) => hit.classList.contains("chosen"));
    const next = Math.max(0, Math.min(all.length - 1, now + step));
    all[now]?.classList.remove("chosen");
    all[next].classList.add("chosen");
    box?.blur();
    all[next].querySelector("a").focus({ preventScroll: true });
    all[next].scrollIntoView({ block: "nearest" });
  }

  function leave() {
    const chosen = document.querySelector(".hit.chosen");
    if (document.activeElement === box) box.blur();
    else if (chosen) {
      chosen.classList.remove("chosen");
      document.activeElement.blur();
    } else if (!form && history.length > 1) history.back();
    else if (!form) location.assign("/");
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (event.key === "Escape") {
      leave();
    } else if (event.key === "Enter" && event.target === box) {
      event.preventDefault();
      ask().then(() => choose(1));
    } else if (typing) {
      if (event.key === "ArrowDown" && event.target === box) {
        event.preventDefault();
        choose(1);
      }
      return;
    } else if (event.key === "/") {
      if (box) box.select();
      else location.assign("/");
    } else if (event.key === "j" || event.key === "k") {
      choose(event.key === "j" ? 1 : -1);
    } else {
      return; // Enter on a chosen hit follows its link
    }
    event.preventDefault();
  });

  document.addEventListener("focusin", (event) => {
    const hit = event.target.closest(".hit");
    for (const other of hits()) other.classList.toggle("chosen", other === hit);
  });

  if (!form) return;
  box.setSelectionRange(box.value.length, box.value.length);
  // What was typed before this script came, or what the browser filled in again, is asked for too.
  const said = (pairs) => JSON.stringify([...pairs].filter(([name, value]) => name !== "k" && value.trim()).sort());
  if (said(new FormData(form)) !== said(new URLSearchParams(location.search))) {
    shown = "";
    ask();
  }
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 200);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  document.addEventListener("click", (event) => {
    const more = event.target.closest("a.more");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask(more.getAttribute("href"));
  });
  fetch("/api/facets").then((answer) => (answer.ok ? answer.json() : {})).then((facets) => {
    for (const [name, values] of Object.entries(facets)) {
      document.getElementById(name).replaceChildren(...values.map(([value, chunks]) =>
        Object.assign(document.createElement("option"), { value, label: `${chunks.toLocaleString("en")} chunks` })));
    }
  }, () => {}); // without it one types the names
})();
