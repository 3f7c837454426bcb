"""Runs in the browser's own Python: looks at the page as people do, and prints what it found as JSON.

python inside_browser.py CHROMIUM URL FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

program, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def focus_of(page: Page) -> str:
    return str(page.evaluate("(document.activeElement.innerText || document.activeElement.id || '').trim()"))


def barriers_on(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def look(browser: Any, name: str, **how: Any) -> dict[str, Any]:
    """One visit to the page."""
    # axe is a script, which the page's own policy forbids.
    context = browser.new_context(bypass_csp=True, **how)
    page = context.new_page()
    page.goto(f"{url}/status")
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    found = {"barriers": barriers_on(page), "scrolls sideways": wide}
    context.close()
    return found


def without_javascript(browser: Any) -> dict[str, Any]:
    """Read the page, and remove a session, by keyboard alone, in a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{url}/status")
    text = page.inner_text("main")
    page.keyboard.press("Tab")
    reached = []
    for _ in range(40):
        link = page.locator(":focus")
        label = link.get_attribute("aria-label") or link.inner_text() if link.count() else ""
        reached.append(label.strip())
        if "Remove the session of bob" in label:
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/remove")
    question = page.inner_text("h1")
    page.screenshot(path=str(folder / "question.png"))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/status?done=removed")
    told = page.inner_text(".told")
    context.close()
    return {"text": text, "reached": reached, "question": question, "told": told, "complaints": complaints}


def with_javascript(browser: Any) -> dict[str, Any]:
    """See that nothing on the page runs, and that the style is let in."""
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    ran: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    page.goto(f"{url}/status")
    page.wait_for_timeout(200)
    font = page.evaluate("getComputedStyle(document.body).margin")
    blocked = page.evaluate("document.querySelectorAll('script').length")
    context.close()
    return {"complaints": complaints, "ran": ran, "margin": font, "scripts": blocked}


with sync_playwright() as playwright:
    # As root, in a container, Chromium's own sandbox does not start; it visits this machine alone.
    chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
    answer = {
        "light": look(chromium, "light", viewport={"width": 1200, "height": 800}),
        "dark": look(chromium, "dark", viewport={"width": 1200, "height": 800}, color_scheme="dark"),
        "narrow": look(chromium, "narrow", viewport={"width": 390, "height": 800}),
        "keyboard": without_javascript(chromium),
        "scripts": with_javascript(chromium),
    }
    chromium.close()
print(json.dumps(answer))
