// Parts of a page come from the server as HTML, escaped there. data-part names where from, data-every how often.
"use strict";

// Puts what the server answers into an element; resolves to whether it was an answer and no error.
async function fetchPart(element, address, signal) {
  element.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { "x-part": "1" }, signal });
    const html = await answer.text();
    if (signal?.aborted) return false;
    if (element.dataset.html !== html) {
      element.innerHTML = html;
      element.dataset.html = html;
    }
    return answer.ok;
  } catch (error) {
    if (error.name === "AbortError") return false;
    element.dataset.html = "";
    element.replaceChildren(Object.assign(document.createElement("p"), {
      className: "error",
      role: "alert",
      textContent: "No answer: pgduet ui does not run any more. Start it again, then reload this page.",
    }));
    return false;
  } finally {
    if (!signal?.aborted) element.removeAttribute("aria-busy");
  }
}

for (const element of document.querySelectorAll("[data-part]")) {
  const every = Number(element.dataset.every || 0) * 1000;
  const look = async () => {
    if (!document.hidden) await fetchPart(element, element.dataset.part);
    if (every) setTimeout(look, every);
  };
  look();
}
