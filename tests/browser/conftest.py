"""A real browser, without a window: one for all tests of a process."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# What the variable AXE_CORE may name, or npm has put beside the checkout or above it.
_AXE = Path("node_modules", "axe-core", "axe.min.js")
_NOTHING_BEYOND = """
const root = document.scrollingElement;
return root.scrollWidth - root.clientWidth;
"""
_RULES = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
    result => done(result.violations.map(one => [one.id, one.nodes.map(node => node.html)])),
    error => done([["axe failed", [String(error)]]]));
"""


@dataclass
class Browser:
    """Chromium, and what the tests ask of the page that is open in it."""

    driver: Any

    def open(self, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Show a file on a screen of a width; messages of pages before it are forgotten."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(path.as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a script gives that is run on the page."""
        return self.driver.execute_script(script, *arguments)

    def messages(self) -> list[str]:
        """Return what the page has said on the console, errors of its policy among it."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the page was opened, itself among them."""
        events = [
            json.loads(one["message"])["message"] for one in self.driver.get_log("performance")
        ]
        asked = [e for e in events if e["method"] == "Network.requestWillBeSent"]
        resources = self.run("return performance.getEntriesByType('resource').map(one => one.name)")
        return [event["params"]["request"]["url"] for event in asked] + resources

    def beyond(self) -> int:
        """Return how many pixels the page is wider than the screen."""
        return int(self.run(_NOTHING_BEYOND))

    def violations(self, axe: str) -> list[Any]:
        """Return the rules of accessibility that the page breaks, with the elements that do."""
        self.run(axe)
        found: list[Any] = self.driver.execute_async_script(_RULES)
        return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium; the test is skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium = next(filter(None, map(shutil.which, _NAMES)), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless=new", "disable-gpu", "disable-dev-shm-usage", "no-first-run"):
        options.add_argument(f"--{argument}")
    if os.getuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    chrome = webdriver.Chrome(options=options, service=service)
    chrome.set_script_timeout(30)
    yield Browser(chrome)
    chrome.quit()


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the source of axe-core; the test is skipped where there is none."""
    named = os.environ.get("AXE_CORE")
    folders = Path(__file__).resolve().parents
    paths = [Path(named)] if named else [folder / _AXE for folder in folders]
    for path in paths:
        if path.is_file():
            return path.read_text(encoding="utf-8")
    pytest.skip("axe-core is not installed; npm install axe-core, or name axe.min.js by AXE_CORE")
