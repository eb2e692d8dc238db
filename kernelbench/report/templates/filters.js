"use strict";
// The page's form narrows the table and the charts of cases alike; threads and machine choose a chart's view.
document.addEventListener("DOMContentLoaded", function () {
  const form = document.getElementById("filters");
  const rows = Array.from(document.querySelectorAll("#cases tr.case"));
  const texts = rows.map(function (row) { return (row.dataset.case + " " + row.textContent).toLowerCase(); });
  const charts = new Map();

  function chosen(name) {
    return form && form.elements[name] ? form.elements[name].value : "";
  }

  function filterTable() {
    const facets = ["op", "style", "dtype", "threads", "size", "machine"].filter(chosen);
    const words = chosen("text").toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach(function (row, i) {
      const fits = facets.every(function (name) { return row.dataset[name] === chosen(name); })
        && words.every(function (word) { return texts[i].includes(word); });
      row.hidden = !fits;
      count += fits;
    });
    document.querySelectorAll("tr.problem").forEach(function (heading) {
      heading.hidden = !heading.parentNode.querySelector("tr.case:not([hidden])");
    });
    const none = document.getElementById("none");
    if (none) none.hidden = count > 0;
    if (form) document.getElementById("counted").value = count + " of " + rows.length + " cases";
  }

  function viewOf(views) {
    return views.find(function (view) {
      return (!chosen("threads") || view.threads === chosen("threads"))
        && (!chosen("machine") || view.machine === chosen("machine"));
    });
  }

  function hiddenLines() {
    return Array.from(document.querySelectorAll("input[name=line]:not(:checked)"), function (box) { return box.value; });
  }

  function filterChart(id) {
    const chart = charts.get(id);
    const view = viewOf(chart.views);
    chart.view.signal("view", view ? view.key : "");
    ["op", "style", "dtype", "size"].forEach(function (name) { chart.view.signal("of_" + name, chosen(name)); });
    chart.view.signal("hidden", hiddenLines());
    chart.view.runAsync();
    const told = document.getElementById("view-" + id);
    if (told) told.textContent = view ? "Shown: " + view.title + "." : "Nothing to draw at this choice.";
  }

  function narrowSizes() {
    const sizes = form && form.elements.size;
    if (!sizes) return;
    Array.from(sizes.options).slice(1).forEach(function (option) {
      option.hidden = option.disabled = Boolean(chosen("op")) && !JSON.parse(option.dataset.ops).includes(chosen("op"));
    });
    if (sizes.selectedOptions[0].disabled) sizes.value = "";
  }

  function apply() {
    narrowSizes();
    filterTable();
    charts.forEach(function (_, id) { filterChart(id); });
  }

  window.kernelbench.onDrawn(function (id, view, spec) {
    if (!spec.usermeta || !spec.usermeta.views) return;
    charts.set(id, { view: view, views: spec.usermeta.views });
    filterChart(id);
  });
  document.querySelectorAll("input[name=line]").forEach(function (box) { box.addEventListener("change", apply); });
  if (form) {
    form.addEventListener("input", apply);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    // The fields are empty only after the event.
    form.addEventListener("reset", function () { setTimeout(apply, 0); });
    apply();
  }
  window.kernelbench.choose = function (name, value) {
    if (!form || !form.elements[name] || form.elements[name].value === value) return;
    form.elements[name].value = value;
    apply();
  };
  window.kernelbench.showAll = function () { if (form) form.reset(); };
});
