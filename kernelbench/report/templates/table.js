"use strict";
// The table of all cases: sorted by a click on a column's name, copied as text.
document.addEventListener("DOMContentLoaded", function () {
  const table = document.getElementById("cases");
  if (!table) return;
  const bodies = Array.from(table.tBodies);
  const rows = Array.from(table.querySelectorAll("tr.case"));
  const homes = rows.map(function (row) { return row.parentNode; });
  const back = document.getElementById("ladder-order");
  const sorted = document.createElement("tbody");

  // A row that leaves its problem's heading says itself which problem it is of.
  bodies.forEach(function (body) {
    const title = body.rows[0].textContent.trim();
    Array.from(body.rows).slice(1).forEach(function (row) {
      const problem = document.createElement("span");
      problem.className = "problem-name";
      problem.textContent = title;
      row.cells[0].append(problem);
    });
  });

  function key(row, column) {
    const cell = row.cells[column];
    return "rank" in cell.dataset ? Number(cell.dataset.rank) : null;
  }

  function compare(column, sign) {
    return function (a, b) {
      const one = key(a, column), other = key(b, column);
      if (one === null && other === null) {
        return sign * a.cells[column].textContent.localeCompare(b.cells[column].textContent);
      }
      // What does not apply comes last, whichever way the others are sorted.
      if (one === null) return 1;
      return other === null ? -1 : sign * (one - other);
    };
  }

  function sort(button) {
    const head = button.parentNode;
    const numeric = head.classList.contains("number");
    const first = numeric ? "descending" : "ascending", second = numeric ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? second : first;
    table.querySelectorAll("[aria-sort]").forEach(function (one) { one.setAttribute("aria-sort", "none"); });
    head.setAttribute("aria-sort", order);
    sorted.append(...rows.slice().sort(compare(Number(button.dataset.column), order === "ascending" ? 1 : -1)));
    bodies.forEach(function (body) { body.remove(); });
    table.append(sorted);
    table.classList.add("sorted");
    back.disabled = false;
  }

  function restore() {
    rows.forEach(function (row, i) { homes[i].append(row); });
    sorted.remove();
    table.append(...bodies);
    table.querySelectorAll("[aria-sort]").forEach(function (one) { one.setAttribute("aria-sort", "none"); });
    table.classList.remove("sorted");
    back.disabled = true;
  }

  table.tHead.addEventListener("click", function (event) {
    const button = event.target.closest("button");
    if (button) sort(button);
  });
  back.addEventListener("click", restore);

  // A spreadsheet runs text that begins like a formula: a quote before it makes it text.
  function guarded(text) {
    return /^\s*[=+\-@]/.test(text) ? "'" + text : text;
  }

  function quoted(text, separator) {
    if (separator === "\t") return text.replace(/[\t\n]/g, " ");
    return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function text(separator) {
    const heads = ["case"].concat(Array.from(table.tHead.rows[0].cells, function (head) {
      return head.textContent.trim();
    }));
    const shown = Array.from(table.querySelectorAll("tr.case:not([hidden])"));
    const lines = shown.map(function (row) {
      const cells = Array.from(row.cells, function (cell) { return cell.textContent.trim(); });
      cells[0] = row.querySelector("button").textContent;
      return [row.dataset.case].concat(cells).map(guarded);
    });
    return [heads].concat(lines).map(function (line) {
      return line.map(function (cell) { return quoted(cell, separator); }).join(separator);
    }).join("\n") + "\n";
  }

  function byHand(content) {
    const field = document.createElement("textarea");
    field.value = content;
    field.setAttribute("aria-label", "The table as text");
    document.getElementById("copied").after(field);
    field.select();
    const done = document.execCommand("copy");
    if (done) field.remove();
    return done;
  }

  function copy(event) {
    const content = text(event.currentTarget.dataset.copy === "tab" ? "\t" : ",");
    const said = document.getElementById("copied");
    const count = content.split("\n").length - 2;
    function tell(done) {
      said.value = done ? "Copied " + count + " cases." : "The browser forbids copying: the text below is selected.";
    }
    const written = navigator.clipboard ? navigator.clipboard.writeText(content) : Promise.reject(new Error("none"));
    written.then(function () { tell(true); }, function () { tell(byHand(content)); });
  }

  document.querySelectorAll("[data-copy]").forEach(function (button) { button.addEventListener("click", copy); });
});
