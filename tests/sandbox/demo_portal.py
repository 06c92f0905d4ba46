# SPDX-License-Identifier: Apache-2.0
"""./demo --portal: the whole of the guide. The authority's portal and an identity provider run on loopback with TLS, eonayd reaches
the portal through ca-rest. A person walks it in his browser and in a shell; with --yes a headless Chromium and the daemon do."""
import os
import pathlib
import sys
import tempfile

WALK = "tests/portal"
PERSON, PASSWORD = "ayse", "deneme"
INTERPRETATION = {"sekil-1-menu": "figure 1", "sekil-2-giris": "figure 2", "sekil-3-saglayici": "figure 3",
                  "sekil-4-islemler": "figure 4", "sekil-5-nes": "figure 5", "sekil-6-e-onay": "figure 6",
                  "sekil-7-kod": "figure 7", "sekil-7-acildi": "figure 7, while the program signs",
                  "3-8-sonuc": "section 3.8", "3-8-basvuru": "section 3.8: an application without a form"}


def scene_class(build):
    """The tests' portal with its provider. Their modules want to know the build tree when they are loaded."""
    source = pathlib.Path(__file__).resolve().parents[2]
    os.environ["EONAY_BUILD"], os.environ["EONAY_SOURCE"] = build, str(source)
    sys.path.insert(0, str(source / WALK))
    import web_scene  # noqa: PLC0415
    return web_scene.Scene


class PortalWorld:
    """with PortalWorld(sandbox) as portal: the portal and its provider, to be started before the daemon."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.pictures = None
        tempfile.tempdir = sandbox.folder  # whatever is made on the way goes with the sandbox
        self.scene = scene_class(sandbox.programs.build)(portal="\n".join(
            [f"TrustAnchors={sandbox.pki.root}", f"Intermediates={sandbox.pki.issuing}"]))

    def __enter__(self):
        self.scene.__enter__()
        self.sandbox.set_section("Daemon", DefaultBackend="portal")
        self.sandbox.set_section("Backend portal", Plugin="ca-rest", Url=self.scene.origin, CaFile=self.scene.certificate)
        return self

    def __exit__(self, *exception):
        self.scene.__exit__(*exception)

    @property
    def address(self):
        return self.scene.origin

    def log_tail(self):
        return "\n".join(pathlib.Path(self.scene.log).read_text(encoding="utf-8", errors="replace").splitlines()[-40:])


class Walker:
    """The citizen in his browser. Each page is left as a picture when there is a folder for it."""

    def __init__(self, tell, world, folder):
        from chromium import Chromium  # noqa: PLC0415
        self.tell = tell
        self.folder = folder
        self.browser = Chromium(world.scene)

    def __enter__(self):
        self.browser.__enter__()
        return self

    def __exit__(self, *exception):
        self.browser.__exit__(*exception)

    def look(self, name):
        if self.folder:
            self.browser.picture(self.folder, name)
        self.tell.fact(INTERPRETATION[name], self.browser.driver.title)

    def log_in(self):
        browser = self.browser
        browser.open("/")
        self.look("sekil-1-menu")
        browser.open("/giris")
        self.look("sekil-2-giris")
        browser.open("/giris/edevlet")
        browser.wait(lambda: browser.all("input[name=login]"), "the provider's form")
        self.look("sekil-3-saglayici")
        browser.one("input[name=login]").send_keys(PERSON)
        browser.one("input[name=password]").send_keys(PASSWORD)
        browser.one("button[value=login]").click()
        browser.wait_path("/islemler")
        self.look("sekil-4-islemler")

    def get_code(self):
        browser = self.browser
        browser.follow("NES İşlemleri")
        browser.wait_path("/nes")
        self.look("sekil-5-nes")
        browser.follow("E-Onay İşlemleri")
        browser.wait_path("/nes/e-onay")
        self.look("sekil-6-e-onay")
        go_on = browser.one("main form button")
        browser.one("#kabul").click()
        browser.wait(go_on.is_enabled, "Devam to be possible")
        go_on.click()
        browser.wait_path("/kod/e-onay")
        self.look("sekil-7-kod")
        return browser.one("#kod").text.strip()

    def see_it_opened(self):
        self.browser.wait(lambda: "İmzanız bekleniyor" in self.browser.text, "the page to notice that the code was opened")
        self.look("sekil-7-acildi")

    def see_the_result(self):
        self.browser.wait_path("/nes/e-onay/sonuc")
        self.look("3-8-sonuc")
        self.browser.open("/nes/basvuru")
        self.look("3-8-basvuru")


def shell_help(world, sandbox):
    return f"""
The portal is at {world.address}
Your browser will not know its certificate, made a moment ago: accept it for this address, or trust {world.scene.certificate}.

   1. In the browser: Giriş, then E-Devlet Kapısı or OpenID Connect. Name: {PERSON}, password: {PASSWORD}.
   2. NES İşlemleri, E-Onay İşlemleri, tick the box, Devam: the code and its remaining time.
   3. Here in this shell:   eonayctl sign          and paste the code. The PIN is {sandbox.pin}.
   4. Back in the browser: the page has noticed, and shows the result.

`eonayctl code` gets a code the other way round: it names a page to log in and accept on. The daemon's log is
$EONAY_SANDBOX/eonayd-1.log, the portal's {world.scene.log}. `exit` ends everything.
"""
