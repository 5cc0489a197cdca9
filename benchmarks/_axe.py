"""What axe-core finds on a page, against WCAG 2.2 AA and its own good practice."""

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "tests" / "browser" / "vendor" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
#: What holds is neither listed nor brought out of the browser: that took most of the time.
_RUN = """async runOnly => {
  const look = selectors => axe.run(document, {runOnly, selectors, resultTypes: ["violations"]});
  // Where something is wrong it is looked for again, with its place on the page.
  const found = (await look(false)).violations.length ? await look(true) : {violations: []};
  return found.violations.flatMap((each) => each.nodes.map(
    (node) => `${each.id}: ${JSON.stringify(node.target)} ${node.failureSummary}`));
}"""


def findings(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Each element that breaks a rule, as the page stands; none where it is good. Only of *rules*,
    where some are named."""
    if page.evaluate("typeof window.axe === 'undefined'"):
        # Through the debugger: the page's own policy allows no script of anybody else's.
        page.evaluate(AXE.read_text("utf-8") + "\n;0")
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found: list[str] = page.evaluate(_RUN, only)
    return found
