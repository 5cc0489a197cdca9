// The programme's forms: fields that count only with a certain choice are shown with it, and a list
// grows by an empty row as soon as its last one is filled in. Without this file all of it is there.
(function () {
  "use strict";
  const field = (name) => document.querySelectorAll(`[name="${CSS.escape(name)}"]`);

  function choose() {
    document.querySelectorAll("[data-when]").forEach((part) => {
      const [name, wanted] = part.dataset.when.split("=");
      const found = [...field(name)].find((each) => each.type !== "hidden");
      if (found) part.hidden = !wanted.split(",").includes(found.value);
    });
  }

  function renumbered(row, at, number) {
    const fresh = row.cloneNode(true);
    const old = new RegExp(`(^|[fwhl]-)(${at.replace(/[.]/g, "\\.")}\\.)\\d+(?=\\.|$)`);
    fresh.querySelectorAll("*").forEach((each) => {
      for (const name of ["id", "for", "name", "list", "aria-describedby", "data-rows", "data-when"]) {
        const value = each.getAttribute(name);
        if (value) each.setAttribute(name, value.trim().split(" ").map((one) => one.replace(old, `$1$2${number}`)).join(" "));
      }
      if (each.matches("input:not([type=hidden]):not([type=checkbox]), textarea")) { each.value = ""; each.removeAttribute("value"); each.textContent = ""; }
      if (each.matches("input[type=checkbox]")) { each.checked = false; each.removeAttribute("checked"); }
      each.classList.remove("is-invalid");
      each.removeAttribute("aria-invalid");
      if (each.classList.contains("invalid-feedback")) each.remove();
    });
    const label = fresh.getAttribute("aria-label");
    if (label) fresh.setAttribute("aria-label", label.replace(/\d+$/, (found) => Number(found) + 1));
    return fresh;
  }

  function grow(event) {
    const list = event.target.closest("[data-rows]");
    if (!list || !event.target.value) return;
    const last = list.lastElementChild;
    if (!last || !last.contains(event.target) || list.children.length >= 40) return;
    const numbers = [...last.querySelectorAll("[name]")].map((each) => each.name.slice(list.dataset.rows.length + 1).split(".")[0]);
    list.append(renumbered(last, list.dataset.rows, Number(numbers[0]) + 1));
  }

  // On a phone the row of pages is wider than the screen: the one that is open is in sight.
  const here = document.querySelector(".programme-tabs [aria-current]");
  if (here) {
    // Only as far as is needed: what comes before it stays in sight.
    const bar = here.closest("ul");
    const hidden = here.getBoundingClientRect().right - bar.getBoundingClientRect().right;
    if (hidden > 0) bar.scrollLeft += hidden + 16;
  }

  document.addEventListener("change", choose);
  document.addEventListener("input", grow);
  choose();
})();
