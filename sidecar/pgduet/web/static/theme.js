// Light or dark: as the system has it, until somebody chooses. Runs before the page is drawn, so that nothing flashes.
"use strict";
(() => {
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is turned off
    }
  };
  const root = document.documentElement;
  if (chosen()) root.dataset.theme = chosen();
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const dark = getComputedStyle(root).colorScheme === "dark"
        || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
      root.dataset.theme = dark ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // It holds for this page.
      }
      dispatchEvent(new Event("themechange"));
    });
  });
})();
