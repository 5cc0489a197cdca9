// Every table of the staff pages sorts, filters, can be taken along as CSV, and remembers on this
// device how it was sorted and filtered. Without this script it is a table all the same.
// A cell's data-value is what it is sorted by and exported as; else its text is.
(function () {
  "use strict";
  const language = document.documentElement.lang || "en";
  const collator = new Intl.Collator(language, { numeric: true, sensitivity: "base" });
  const parts = new Intl.NumberFormat(language).formatToParts(-12345.6);
  const mark = (parts.find((each) => each.type === "decimal") || { value: "." }).value;

  function text(cell) {
    return cell === undefined ? "" : cell.textContent.replace(/\s+/g, " ").trim();
  }

  function value(cell) {
    return cell !== undefined && cell.dataset.value !== undefined ? cell.dataset.value : text(cell);
  }

  // A number as people write it in this language, with whatever unit stands beside it.
  function number(cell) {
    if (cell !== undefined && cell.dataset.value !== undefined) {
      return cell.dataset.value === "" ? NaN : Number(cell.dataset.value);
    }
    const found = text(cell).replace(/[\u2212\u2013]/g, "-").match(/-?\d[\d\s.,'\u00a0\u202f\u2019]*/);
    if (!found || /[a-z]{3}/i.test(text(cell).replace(/[A-Z]{3}/, ""))) {
      return NaN;
    }
    const plain = found[0].split(mark);
    return Number(plain[0].replace(/[^\d-]/g, "") + (plain[1] ? "." + plain[1].replace(/\D/g, "") : ""));
  }

  // A spreadsheet would run text that begins so; one apostrophe more makes it text.
  function field(said) {
    const safe = /^'*[=+\-@\t\r]/.test(said) && isNaN(Number(said)) ? "'" + said : said;
    return /[",\n\r]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  }

  class Table {
    constructor(place) {
      this.place = place;
      this.table = place.querySelector("table");
      this.body = this.table.tBodies[0];
      this.heads = [...this.table.tHead.rows[0].cells];
      this.key = "table " + location.pathname + " " + place.dataset.table;
      this.state = this.recall();
      // In which order the rows came; those that come later, from the service, are put behind.
      this.came = new WeakMap();
      this.count = 0;
      this.isDressed = false;
      this.refresh();
    }

    // Rows may have been exchanged meanwhile: they are taken as they stand.
    refresh() {
      this.body = this.table.tBodies[0];
      for (const row of this.body.rows) {
        if (!this.came.has(row)) {
          this.came.set(row, this.count++);
        }
      }
      if (!this.isDressed && this.body.rows.length > 1) {
        this.isDressed = true;
        this.addSorting();
        this.addTools();
      }
      if (this.isDressed) {
        this.show();
      }
    }

    recall() {
      try {
        const kept = JSON.parse(localStorage.getItem(this.key));
        return { column: null, down: false, filter: "", ...kept };
      } catch {
        return { column: null, down: false, filter: "" };
      }
    }

    remember() {
      try {
        localStorage.setItem(this.key, JSON.stringify(this.state));
      } catch {
        // A browser that keeps nothing: then it is sorted anew next time.
      }
    }

    addSorting() {
      this.heads.forEach((head, column) => {
        const name = text(head);
        if (!name || head.colSpan > 1) {
          return;
        }
        const button = document.createElement("button");
        button.type = "button";
        button.className = "staff-sort";
        button.append(...head.childNodes);
        const sign = document.createElement("span");
        sign.setAttribute("aria-hidden", "true");
        sign.className = "staff-sort-sign";
        button.append(sign);
        head.append(button);
        button.addEventListener("click", () => {
          const again = this.state.column === column;
          this.state.down = again ? !this.state.down : false;
          this.state.column = column;
          this.remember();
          this.show();
        });
      });
    }

    addTools() {
      const words = this.place.dataset;
      const tools = document.createElement("div");
      tools.className = "staff-table-tools";
      const filter = document.createElement("input");
      filter.type = "search";
      filter.className = "form-control";
      filter.placeholder = words.filterWord || "Filter";
      filter.setAttribute("aria-label", (words.filterWord || "Filter") + ": " + words.caption);
      filter.value = this.state.filter;
      filter.addEventListener("input", () => {
        this.state.filter = filter.value;
        this.remember();
        this.show();
      });
      tools.append(filter);
      if (!this.place.querySelector("a[download]") && !words.noCsv) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn";
        button.textContent = "CSV";
        button.addEventListener("click", () => this.take());
        tools.append(button);
      }
      this.told = document.createElement("p");
      this.told.className = "staff-table-told";
      this.told.setAttribute("role", "status");
      const around = this.table.closest(".table-responsive") || this.table;
      around.before(tools);
      around.after(this.told);
    }

    show() {
      const wanted = this.state.filter.toLocaleLowerCase(language).trim();
      const matches = (row) => text(row).toLocaleLowerCase(language).includes(wanted);
      const sorted = this.sorted();
      this.body.append(...sorted);
      let shown = 0;
      for (const row of sorted) {
        row.hidden = wanted !== "" && !matches(row);
        shown += row.hidden ? 0 : 1;
      }
      const told = (this.place.dataset.toldWord || "{shown} / {all}");
      this.told.textContent = wanted === "" ? ""
        : told.replace("{shown}", shown).replace("{all}", sorted.length);
      this.heads.forEach((head, column) => {
        const is = column === this.state.column;
        if (is) {
          head.setAttribute("aria-sort", this.state.down ? "descending" : "ascending");
        } else {
          head.removeAttribute("aria-sort");
        }
        const sign = head.querySelector(".staff-sort-sign");
        if (sign) {
          sign.textContent = is ? (this.state.down ? " ▼" : " ▲") : " ↕";
        }
      });
    }

    sorted() {
      const column = this.state.column;
      const rows = [...this.body.rows].sort((a, b) => this.came.get(a) - this.came.get(b));
      if (column === null || column >= this.heads.length) {
        return rows;
      }
      const cells = new Map(rows.map((row) => [row, row.cells[column]]));
      const numbers = new Map(rows.map((row) => [row, number(cells.get(row))]));
      const isNumbers = rows.every((row) => {
        const empty = /^[–—-]?$/.test(value(cells.get(row)));
        return empty || !isNaN(numbers.get(row));
      });
      const compare = isNumbers
        ? (a, b) => (isNaN(numbers.get(a)) ? -Infinity : numbers.get(a)) - (isNaN(numbers.get(b)) ? -Infinity : numbers.get(b)) || 0
        : (a, b) => collator.compare(value(cells.get(a)), value(cells.get(b)));
      const sorted = [...rows].sort(compare);
      return this.state.down ? sorted.reverse() : sorted;
    }

    take() {
      const rows = [this.heads.map((head) => text(head).replace(/ [▲▼↕]$/, ""))];
      for (const row of this.body.rows) {
        if (!row.hidden) {
          rows.push([...row.cells].map(value));
        }
      }
      const lines = rows.map((row) => row.map(field).join(",")).join("\r\n");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff" + lines], { type: "text/csv" }));
      link.download = this.place.dataset.table + ".csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }
  }

  const known = new WeakMap();
  function dress(within) {
    within.querySelectorAll("[data-table]").forEach((place) => {
      if (known.has(place)) {
        known.get(place).refresh();
      } else if (place.querySelector("table tbody") && place.querySelector("table thead")) {
        known.set(place, new Table(place));
      }
    });
  }

  document.body.addEventListener("htmx:load", () => dress(document));
  dress(document);
})();
