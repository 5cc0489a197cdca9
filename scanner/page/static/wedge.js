// Hand scanners that type. Nobody types ten characters in a third of a second; they do.

const GAP_MS = 100;
// Letters mean nothing on this page: what begins with one is a code, however slow the scanner.
const LETTERS_GAP_MS = 1000;
const SHORTEST = 8;

/**
 * Follow the keyboard; `scanned(text)` is told each code, `undo()` takes its keys back.
 * A field with data-codes is left alone: it takes codes itself, from fingers and from scanners.
 */
export function listen(scanned, undo) {
  let burst = "";
  let at = 0;
  let field = null;
  let before = "";

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.dataset?.codes !== undefined) {
      burst = "";
      at = 0;
      return;
    }
    const now = event.timeStamp; // when the key was pressed, however busy the page is
    const gap = !field && /^[^0-9.,]/.test(burst) ? LETTERS_GAP_MS : GAP_MS;
    if (now - at > gap) {
      burst = "";
      field = document.activeElement instanceof HTMLInputElement ? document.activeElement : null;
      before = field ? field.value : undo.keep();
    }
    at = now;
    if (event.key === "Enter" && burst.length >= SHORTEST) {
      event.preventDefault();
      event.stopImmediatePropagation();
      // Digits that were keyed in right before a card of ours stay where they were typed.
      const begins = Math.max(0, burst.search(/CF\d:/));
      const text = burst.slice(begins);
      if (field) field.value = before + burst.slice(0, begins);
      else undo.back(before + burst.slice(0, begins));
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
