# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium of its own profile, that talks to nobody but loopback."""
import base64
import contextlib
import hashlib
import pathlib
import subprocess
import tempfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WAIT_SECONDS = 60
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
         "--disable-extensions", "--mute-audio", "--hide-scrollbars", "--force-device-scale-factor=1",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1")


def spki_hash(certificate):
    """The pin of one certificate's key: Chromium then takes this one and no other unknown one."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True, capture_output=True,
                         timeout=30).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True, capture_output=True,
                         timeout=30).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Chromium:
    """with Chromium(scene) as browser: browser.open("/") …"""

    def __init__(self, scene, language="tr", width=1100, height=900, javascript=True):
        self.scene = scene
        self.origin = scene.origin
        self.language, self.size, self.javascript = language, (width, height), javascript
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        profile = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="eonay-chromium-", ignore_cleanup_errors=True))
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={self.size[0]},{self.size[1]}",
                     f"--ignore-certificate-errors-spki-list={spki_hash(self.scene.certificate)}", f"--lang={self.language}"):
            options.add_argument(flag)
        preferences = {"intl.accept_languages": self.language}
        if not self.javascript:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.stack.callback(self.driver.quit)
        self.driver.set_page_load_timeout(WAIT_SECONDS)
        self.driver.set_script_timeout(WAIT_SECONDS)
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def open(self, path):
        self.driver.get(self.origin + path)

    @property
    def path(self):
        return self.driver.current_url.removeprefix(self.origin)

    @property
    def text(self):
        """Of the page, taken in one step: it may be exchanged for the next one at any moment."""
        return self.driver.execute_script("return document.body ? document.body.innerText : ''")

    def wait(self, condition, what):
        """A page that is exchanged for the next one while it is looked at is looked at once more."""
        WebDriverWait(self.driver, WAIT_SECONDS, ignored_exceptions=[StaleElementReferenceException]).until(
            lambda _: condition(), message=what)

    def wait_path(self, path):
        self.wait(lambda: self.path == path and self.driver.execute_script("return document.readyState") == "complete",
                  f"{path}; now at {self.driver.current_url}")

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def follow(self, text):
        self.driver.find_element(By.PARTIAL_LINK_TEXT, text).click()

    def press(self, text):
        next(b for b in self.all("button") if b.text.strip() == text).click()

    def log_in(self, who="ayse", way="edevlet", password="deneme"):
        self.open(f"/giris/{way}")
        self.wait(lambda: self.all("input[name=login]"), "the provider's form")
        self.one("input[name=login]").send_keys(who)
        self.one("input[name=password]").send_keys(password)
        self.one("button[value=login]").click()

    def picture(self, folder, name):
        """The whole page, however long."""
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.driver.set_window_size(self.size[0], max(self.size[1], height + 120))
        path = pathlib.Path(folder) / f"{name}.png"
        self.driver.save_screenshot(str(path))
        self.driver.set_window_size(*self.size)
        return path

    def complaints(self):
        """What the console says: refused by the policy, not found, thrown."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING") and self.origin in entry["message"]]
