"use strict";
(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const cards = all("details.card");

  // Filter: a row stays when it has every word that was typed.
  const rows = all("#table tbody tr");
  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      n += row.hidden ? 0 : 1;
    });
    shown.textContent = words.length ? n + " of " + rows.length : "";
  });

  // Sort: a second press turns the order around.
  const body = document.querySelector("#table tbody");
  all("#table th[data-key]").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const key = head.dataset.key;
      const usual = key === "rank" || key === "first" ? 1 : -1;
      const turn = head.getAttribute("aria-sort") === (usual > 0 ? "ascending" : "descending") ? -usual : usual;
      all("#table th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
      rows.sort((a, b) => turn * (a.dataset[key] - b.dataset[key]) || a.dataset.rank - b.dataset.rank);
      body.append(...rows);
    });
  });

  // Cards: all at once, and for paper.
  const set = (open) => cards.forEach((card) => { card.open = open; });
  [["open", true], ["close", false]].forEach(([id, open]) => {
    const button = document.getElementById(id);
    button.hidden = cards.length === 0;
    button.addEventListener("click", () => set(open));
  });
  let before = [];
  addEventListener("beforeprint", () => { before = cards.map((card) => card.open); set(true); });
  addEventListener("afterprint", () => cards.forEach((card, i) => { card.open = before[i]; }));

  // A row's link opens its card, also a second time.
  const reveal = () => {
    const at = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const card = at && at.closest("details.card");
    if (card) {
      card.open = true;
      card.scrollIntoView();
      card.firstElementChild.focus({ preventScroll: true });
    }
  };
  addEventListener("hashchange", reveal);
  all("#table a").forEach((link) => link.addEventListener("click", () => { if (link.hash === location.hash) reveal(); }));
  reveal();
})();
