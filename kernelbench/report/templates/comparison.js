"use strict";
(function () {
  for (const island of document.querySelectorAll("script.spec")) {
    const id = island.dataset.figure;
    const options = {
      // The interpreter (ast) stands in for the compiled expressions that the page's policy forbids.
      ast: true, actions: false, logLevel: 1, renderer: "svg", tooltip: { disableDefaultStyle: true },
      // Beside the drawing: what lies inside an image is hidden from who reads the page by ear.
      bind: "#" + id + "-controls",
    };
    window.vegaEmbed("#" + id, JSON.parse(island.textContent), options).catch(function (error) {
      document.getElementById(id).textContent = "This could not be drawn: " + error.message;
    });
  }

  function sort(button) {
    const head = button.closest("th");
    const column = Array.prototype.indexOf.call(head.parentElement.children, head);
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0];
    const keyed = Array.from(body.rows, (row) => [row.cells[column].dataset.rank, row]);
    // What has no number stays last whichever way the others go.
    keyed.sort(([a], [b]) => (a === undefined) - (b === undefined) || (down ? b - a : a - b) || 0);
    body.append(...keyed.map(([, row]) => row));
  }
  for (const button of document.querySelectorAll("table.sheet thead button")) {
    if (button.closest("table").querySelector("[data-rank]")) button.addEventListener("click", () => sort(button));
  }

  const filter = document.getElementById("filter");
  const rows = Array.from(document.querySelectorAll("#cells table.sheet tbody tr"));
  const texts = rows.map((row) => row.textContent.toLowerCase());
  let picked = null;
  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach(function (row, i) {
      const fits = words.every((word) => texts[i].includes(word)) && (!picked ||
        (row.closest("table").id === picked.dataset.sheet && row.querySelector("[data-verdict]").dataset.verdict === picked.dataset.verdict));
      row.hidden = !fits;
      shown += fits;
    });
    const all = shown === rows.length;
    document.getElementById("filtered").textContent = all ? "" : shown + " of " + rows.length + " listed cells shown";
  }
  filter.addEventListener("input", narrow);
  for (const button of document.querySelectorAll(".tally button")) {
    button.addEventListener("click", function () {
      const again = picked === button;
      if (picked) picked.setAttribute("aria-pressed", "false");
      picked = again ? null : button;
      if (picked) picked.setAttribute("aria-pressed", "true");
      narrow();
      if (picked) document.getElementById("cells").scrollIntoView({ block: "start" });
    });
  }
})();
