# SPDX-License-Identifier: Apache-2.0
"""What somebody who sees little or uses no mouse would stumble over: axe-core's rules, contrast computed from what is
painted, and a walk with the Tab key."""
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

# WCAG 2.1: relative luminance and contrast; text on the nearest opaque ground below it.
CONTRAST = """
const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
const lum = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
const found = [];
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  const s = getComputedStyle(e);
  if (!own || s.visibility === 'hidden' || s.display === 'none' || !e.getClientRects().length || e.disabled) continue;
  const a = lum(parse(s.color)), b = lum(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  const size = parseFloat(s.fontSize), large = size >= 24 || (size >= 18.66 && Number(s.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) found.push(`${e.tagName} "${e.textContent.trim().slice(0, 40)}" ${ratio.toFixed(2)}`);
}
return found;
"""
FOCUS = """
const e = document.activeElement;
if (!e || e === document.body) return null;
const s = getComputedStyle(e), r = e.getBoundingClientRect();
return {name: (e.textContent || e.value || e.id).trim().slice(0, 60), tag: e.tagName, key: [...document.querySelectorAll('*')].indexOf(e),
  outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2, width: r.width, height: r.height};
"""
FOCUSABLE = "a[href], button:not([disabled]):not([hidden]), input:not([type=hidden]), select, textarea, [tabindex='0']"


def violations(browser, folder):
    """What axe-core finds, as 'rule: element'."""
    if not browser.driver.execute_script("return !!window.axe"):
        with open(folder / "node_modules/axe-core/axe.min.js", encoding="utf-8") as file:
            browser.driver.execute_script(file.read())
    result = browser.driver.execute_async_script(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(arguments[0])")
    return [f"{v['id']}: {node['html'][:120]}" for v in result["violations"] for node in v["nodes"]]


def poor_contrast(browser):
    return browser.driver.execute_script(CONTRAST)


def turkish_left(browser):
    """Words of the pages that an English reader should not meet, outside of what is Turkish on purpose."""
    text = browser.driver.execute_script("""
const copy = document.body.cloneNode(true);
for (const e of copy.querySelectorAll('[lang=tr], .brand strong, .foot, .tools p, .mono, td')) e.remove();
return copy.textContent;""")
    return [word for word in ("İşlem", "Giriş", "Başvuru", "Sertifika ", "tıklayınız", "Kalan", "Çıkış", "Devam") if word in text]


def press(browser, *keys):
    ActionChains(browser.driver).send_keys(*keys).perform()


def focus_walk(browser):
    """Names of what Tab reaches, in order."""
    return [stop["name"] for stop in stops(browser)]


def stops(browser):
    browser.driver.execute_script("document.activeElement.blur()")
    seen, found = set(), []
    for _ in range(60):
        press(browser, Keys.TAB)
        stop = browser.driver.execute_script(FOCUS)
        if not stop or stop["key"] in seen:
            break
        seen.add(stop["key"])
        found.append(stop)
    return found


def check_focus_visible(test, browser):
    """Everything that can be used is reached by Tab, and it shows."""
    found = stops(browser)
    wanted = len([e for e in browser.all(FOCUSABLE) if e.is_displayed() or "skip" in (e.get_attribute("class") or "")])
    test.assertGreaterEqual(len(found), wanted, browser.path)
    test.assertEqual([stop for stop in found if not stop["outline"]], [], browser.path)


def keys_to_code(browser):
    """Figure 6 with keys only: to the box, Space, to the button, Enter."""
    browser.open("/nes/e-onay")
    for key in (Keys.SPACE, Keys.ENTER):
        wanted = "INPUT" if key == Keys.SPACE else "BUTTON"
        for _ in range(60):
            press(browser, Keys.TAB)
            stop = browser.driver.execute_script(FOCUS)
            inside = browser.driver.execute_script("return document.activeElement.closest('main form') !== null")
            if stop and stop["tag"] == wanted and inside:
                break
        press(browser, key)
