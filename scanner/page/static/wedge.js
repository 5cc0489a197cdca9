// Hand scanners that type. Nobody types ten characters in a third of a second; they do.

const GAP_MS = 60;
const SHORTEST = 8;

/** Follow the keyboard; `scanned(text)` is told each code, `undo()` takes its keys back. */
export function listen(scanned, undo) {
  let burst = "";
  let at = 0;
  let field = null;
  let before = "";

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const now = performance.now();
    if (now - at > GAP_MS) {
      burst = "";
      field = document.activeElement instanceof HTMLInputElement ? document.activeElement : null;
      before = field ? field.value : undo.keep();
    }
    at = now;
    if (event.key === "Enter" && burst.length >= SHORTEST) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (field) field.value = before;
      else undo.back(before);
      const text = burst;
      burst = "";
      scanned(text);
      return;
    }
    if (event.key.length !== 1) return;
    burst += event.key;
    // A space presses the button that has the focus: not in the middle of a code.
    if (burst.length > 2 && !field) {
      event.preventDefault();
      if (!/[0-9.,]/.test(event.key)) event.stopImmediatePropagation();
    }
  }, true);

  document.addEventListener("paste", (event) => {
    if (event.target instanceof HTMLInputElement || document.querySelector("dialog[open]")) return;
    const text = event.clipboardData?.getData("text").trim();
    if (text) scanned(text);
  });
}
