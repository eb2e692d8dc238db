"use strict";
// A dot and its row find each other; buttons zoom the charts of cases.
document.addEventListener("DOMContentLoaded", function () {
  const charts = new Map();
  const table = document.getElementById("cases");
  const said = document.getElementById("counted");
  let chosen = -1;

  function mark() {
    charts.forEach(function (chart) { chart.view.signal("chosen", chosen).runAsync(); });
    document.querySelectorAll("tr.chosen").forEach(function (row) {
      row.classList.remove("chosen");
      row.removeAttribute("aria-current");
    });
    const row = document.getElementById("case-" + chosen);
    if (row) {
      row.classList.add("chosen");
      row.setAttribute("aria-current", "true");
    }
    return row;
  }

  function fromDot(id) {
    chosen = id;
    const row = mark();
    if (!row) {
      if (said) said.value = "The row of this dot is not on the page: --csv has it.";
      return;
    }
    const narrowed = document.querySelector("#filters [name=text]");
    if (row.hidden && narrowed) {
      narrowed.value = "";
      narrowed.dispatchEvent(new Event("input", { bubbles: true }));
    }
    row.scrollIntoView({ block: "center" });
    rove(row.querySelector("button"), false);
  }

  function fromRow(row) {
    chosen = Number(row.id.slice("case-".length));
    mark();
    // Its dot is drawn only in the view of its own threads and machine.
    const views = Array.from(charts.values(), function (chart) { return chart.view.signal("view"); });
    const own = new RegExp("^" + row.dataset.threads + " thread");
    if (views.length && !views.some(function (view) { return own.test(view) && view.endsWith(row.dataset.machine); })) {
      window.kernelbench.choose("threads", row.dataset.threads);
      window.kernelbench.choose("machine", row.dataset.machine);
    }
    const place = Array.from(charts).find(function (entry) { return entry[1].ids.has(chosen); });
    if (place) document.getElementById("chart-" + place[0]).scrollIntoView({ block: "center" });
    else if (said) said.value = "This case has no dot: " + (row.classList.contains("measured")
      ? "its work has no FLOP, or its dot was left out." : "it was not measured.");
  }

  // One stop of the tab key for all rows; arrows go from row to row.
  function rove(button, focus) {
    table.querySelectorAll("tr.case button[tabindex='0']").forEach(function (one) { one.tabIndex = -1; });
    button.tabIndex = 0;
    if (focus) button.focus();
  }

  function neighbour(button, step) {
    const shown = Array.from(table.querySelectorAll("tr.case:not([hidden]) button"));
    const at = { Home: 0, End: shown.length - 1 };
    return shown[step in at ? at[step] : shown.indexOf(button) + step];
  }

  function moved(event) {
    const button = event.target.closest("tr.case button");
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: "Home", End: "End" };
    if (!button || !(event.key in steps)) return;
    const next = neighbour(button, steps[event.key]);
    if (next) rove(next, true);
    event.preventDefault();
  }

  if (table) {
    const first = table.querySelector("tr.case button");
    if (first) first.tabIndex = 0;
    table.addEventListener("keydown", moved);
    table.addEventListener("click", function (event) {
      const row = event.target.closest("tr.case");
      // Who marks text to copy it means no click.
      if (row && !String(getSelection())) {
        rove(row.querySelector("button"), false);
        fromRow(row);
      }
    });
    // Sorting and filtering may hide the row that the tab key stops at.
    table.addEventListener("focusout", reachable);
    document.addEventListener("input", reachable);
  }

  function reachable() {
    const stop = table.querySelector("tr.case button[tabindex='0']");
    if (stop && !stop.closest("tr").hidden) return;
    const next = table.querySelector("tr.case:not([hidden]) button");
    if (next) rove(next, false);
  }

  window.kernelbench.onDrawn(function (id, view, spec) {
    if (!spec.usermeta || !spec.usermeta.views) return;
    const ids = new Set(spec.datasets.dots.map(function (dot) { return dot.id; }));
    charts.set(id, { view: view, ids: ids, x: view.scale("x").domain(), y: view.scale("y").domain() });
    view.signal("chosen", chosen).runAsync();
    view.addEventListener("click", function (event, item) {
      if (item && item.datum && item.datum.id !== undefined) fromDot(item.datum.id);
    });
  });

  function scaled(domain, factor) {
    const low = Math.log(domain[0]), high = Math.log(domain[1]);
    const middle = (low + high) / 2, half = (high - low) / 2 * factor;
    return [Math.exp(middle - half), Math.exp(middle + half)];
  }

  function zoom(event) {
    const button = event.currentTarget;
    const chart = charts.get(button.dataset.of);
    if (!chart) return;
    const factor = { in: 0.6, out: 1 / 0.6 }[button.dataset.zoom];
    ["x", "y"].forEach(function (axis) {
      const domain = factor ? scaled(chart.view.scale(axis).domain(), factor) : chart[axis];
      chart.view.signal("zoom_" + axis, domain);
    });
    chart.view.runAsync();
  }

  document.querySelectorAll("[data-zoom]").forEach(function (button) { button.addEventListener("click", zoom); });
});
