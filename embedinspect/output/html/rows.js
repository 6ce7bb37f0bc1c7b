"use strict";
(() => {
  // Rows of tables that stand for the same row of the matrix light up together.
  for (const root of document.querySelectorAll(".ei")) {
    const mark = (event, on) => {
      const row = event.target.closest && event.target.closest("[data-row]");
      if (!row) return;
      const same = CSS.escape(row.dataset.row);
      for (const one of root.querySelectorAll(`[data-row="${same}"]`)) {
        one.classList.toggle("same", on);
      }
    };
    for (const name of ["mouseover", "focusin"]) {
      root.addEventListener(name, (event) => mark(event, true));
    }
    for (const name of ["mouseout", "focusout"]) {
      root.addEventListener(name, (event) => mark(event, false));
    }
  }
})();
