"""What axe-core finds on a page, against WCAG 2.2 AA and its own good practice."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "tests" / "browser" / "vendor" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def findings(page: Page) -> list[str]:
    """Each element that breaks a rule, as the page stands; none where it is good."""
    # Through the debugger: the page's own policy allows no script of anybody else's.
    page.evaluate(AXE.read_text("utf-8") + "\n;0")
    run = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})"
    found = page.evaluate(run, list(TAGS))
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
