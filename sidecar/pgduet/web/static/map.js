// The code map: fetches the points, colours and names them, marks hits of a search, shows a chunk's code.
"use strict";
(() => {
  const [ID, X, Y, , , LABEL] = [0, 1, 2, 3, 4, 5];
  const get = (id) => document.getElementById(id);
  const [canvas, tip, told, detail, legend, colour] = ["map", "tip", "told", "detail", "legend", "colour"].map(get);
  const view = new MapView(canvas, () => { tip.hidden = true; });
  const shade = (number) => `hsl(${(number * 137.5 + 210) % 360} 62% 52%)`;
  const count = (number) => number.toLocaleString("en");
  let hidden = new Set();

  function dye() {
    const column = Number(colour.value);
    const sizes = new Map();
    for (const point of view.points) {
      point.group = point.row[column] === null || point.row[column] === "" ? "none" : String(point.row[column]);
      sizes.set(point.group, (sizes.get(point.group) || 0) + 1);
    }
    const groups = [...sizes].sort((one, other) => other[1] - one[1]);
    const shades = new Map(groups.map(([name], number) => [name, name === "none" ? "#8888" : shade(number)]));
    for (const point of view.points) {
      point.colour = shades.get(point.group);
      point.hidden = hidden.has(point.group);
    }
    legend.replaceChildren(...groups.slice(0, 40).map(([name, size]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!hidden.has(name)));
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      dot.setAttribute("viewBox", "0 0 10 10");
      const circle = dot.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "circle"));
      for (const [key, value] of Object.entries({ cx: 5, cy: 5, r: 5, fill: shades.get(name) })) {
        circle.setAttribute(key, value);
      }
      button.append(dot, `${column === 3 && name !== "none" ? "cluster " : ""}${name} (${count(size)})`);
      button.addEventListener("click", () => {
        if (!hidden.delete(name)) hidden.add(name);
        dye();
      });
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    view.draw();
  }

  async function show(point) {
    if (!point) return;
    for (const other of view.points) other.chosen = other === point;
    view.draw();
    await fetchPart(detail, `/chunk/${point.row[ID]}`);
  }

  async function mark(query) {
    for (const point of view.points) point.marked = false;
    if (query) {
      const answer = await fetch(`/api/search?${new URLSearchParams({ q: query, k: 30 })}`);
      const found = await answer.json();
      if (answer.ok) {
        const ids = new Set(found.map((hit) => hit.chunk_id));
        for (const point of view.points) point.marked = ids.has(point.row[ID]);
      } else {
        fail(found);
      }
    }
    view.draw();
  }

  function fail(found, place = detail) {
    const box = Object.assign(document.createElement("div"), { className: "error", role: "alert" });
    for (const text of [found.error, found.hint]) {
      if (text) box.append(Object.assign(document.createElement("p"), { textContent: text }));
    }
    place.replaceChildren(box);
  }

  function failAll(found) {
    fail(found, told);
    for (const part of [get("mark"), document.querySelector(".map")]) part.hidden = true;
  }

  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons) return;
    const point = view.nearest(event.offsetX, event.offsetY, 12);
    tip.hidden = !point;
    canvas.classList.toggle("over", Boolean(point));
    if (!point) return;
    tip.textContent = point.row[LABEL];
    const [x, y] = view.at(point);
    tip.hidden = false;
    tip.style.left = `${Math.max(4, Math.min(x + 12, canvas.clientWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.min(y + 12, canvas.clientHeight - tip.offsetHeight - 4)}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("click", (event) => {
    if (view.moved < 5) show(view.nearest(event.offsetX, event.offsetY, 16));
  });
  canvas.addEventListener("keydown", (event) => {
    const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    const deeds = {
      ArrowLeft: () => view.pan(40, 0),
      ArrowRight: () => view.pan(-40, 0),
      ArrowUp: () => view.pan(0, 40),
      ArrowDown: () => view.pan(0, -40),
      "+": () => view.zoom(1.3),
      "-": () => view.zoom(1 / 1.3),
      0: () => view.fit(),
      Enter: () => show(view.nearest(...middle, 1e6)),
    };
    if (!deeds[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    deeds[event.key]();
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.activeElement.blur();
    if (event.key !== "/" || event.target.matches("input, select")) return;
    event.preventDefault();
    get("marked").select();
  });
  addEventListener("themechange", () => view.draw());
  get("in").addEventListener("click", () => view.zoom(1.5));
  get("out").addEventListener("click", () => view.zoom(1 / 1.5));
  get("fit").addEventListener("click", () => view.fit());
  colour.addEventListener("change", () => { hidden = new Set(); dye(); });
  let timer = 0;
  get("marked").addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => mark(event.target.value.trim()), 250);
  });
  get("mark").addEventListener("submit", (event) => event.preventDefault());

  // Both axes are stretched alike, so that near is near; a few outliers do not squeeze all others.
  function place(rows) {
    const range = (column) => {
      const sorted = rows.map((row) => row[column]).sort((one, other) => one - other);
      const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
      return [at(0.005), at(0.995)];
    };
    const [[left, right], [top, bottom]] = [range(X), range(Y)];
    const span = Math.max(right - left, bottom - top) || 1;
    view.points = rows.map((row) => ({
      row,
      x: (row[X] - (left + right) / 2) / span + 0.5,
      y: 0.5 - (row[Y] - (top + bottom) / 2) / span,
    }));
  }

  async function load() {
    const answer = await fetch("/api/map");
    const found = await answer.json();
    if (!answer.ok) return failAll(found);
    place(found.points);
    const drawn = found.points.length < found.total ? `${count(found.points.length)} of ${count(found.total)}` : count(found.total);
    told.textContent = `${drawn} chunks of generation ${found.generation}, computed ${found.computed_at.slice(0, 16).replace("T", " ")}.`
      + " Chunks that are alike in meaning lie near each other.";
    dye();
    return undefined;
  }
  load().catch(() => failAll({ error: "no answer", hint: "start `pgduet ui` again, then reload this page" }));
})();
