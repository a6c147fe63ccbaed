#!/usr/bin/env python3
"""Looks at the report of a run.

report_page.py sound FILE          it is well formed, self-contained, and its policy lets nothing in
report_page.py shows FILE TEXT...  a reader sees these texts
report_page.py browse FILE         in Chromium: no script ran, nothing was fetched, nothing was added
report_page.py blocked FILE        in Chromium: scripts put into the page do not run, but would without
                                   its policy"""

import base64
import hashlib
import html.parser
import pathlib
import re
import subprocess
import sys
import tempfile

VOID = {"meta", "input", "br"}
ALLOWED = set(
    "html head meta title style body header nav section article footer div p span b h1 h2 h3 h4 a svg g path rect "
    "circle text details summary table tr th td ul li pre code bdi input label tbody".split()
)
ATTRIBUTES = set(
    "lang charset http-equiv content name class id href role aria-label viewbox width height x y rx cx cy r d "
    "text-anchor title open type checked for".split()
)


class Page(html.parser.HTMLParser):
    """The elements of a page; complains about everything that a report has no use for."""

    def __init__(self, source, strict=True):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.faults, self.metas, self.styles = [], [], [], [], []
        self.strict = strict
        self.feed(source)
        self.close()
        if self.open and strict:
            self.faults.append(f"not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        if tag not in ALLOWED:
            self.faults.append(f"element {tag}")
        for name, value in attributes:
            if name not in ATTRIBUTES:
                self.faults.append(f"attribute {name} of {tag}")
            if name == "href" and not value.startswith("#"):
                self.faults.append(f"link to {value}")
        if len(names) != len(set(names)):
            self.faults.append(f"an attribute twice in {tag}")
        if tag == "meta":
            self.metas.append(dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            if self.strict:
                self.faults.append(f"unexpected end of {tag}")

    def handle_data(self, data):
        (self.styles if self.open and self.open[-1] == "style" else self.text).append(data)

    def handle_comment(self, data):
        self.faults.append(f"comment {data!r}")


def policy(page):
    for meta in page.metas:
        if meta.get("http-equiv") == "Content-Security-Policy":
            return meta["content"]
    return None


def check_sound(path):
    raw = path.read_bytes()
    source = raw.decode("utf-8")  # strictly
    page = Page(source)
    faults = page.faults
    odd = re.search("[^\t\n -~\xa0-\u061b\u061d-\u200a\u2010-\u2027\u202f-\u2065\u206a-\ufefe\uff00-\U0010ffff]", source)
    if odd:
        faults.append(f"the character {odd.group()!r}")
    [style] = page.styles
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    wanted = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    if policy(page) != wanted:
        faults.append(f"the policy is {policy(page)!r}, not {wanted!r}")
    if source.index("http-equiv") > source.index("<style"):
        faults.append("the policy comes behind the style")
    if "url(" in style or "@import" in style:
        faults.append("the style fetches")
    return faults


def check_shows(path, texts):
    shown = "".join(Page(path.read_text("utf-8")).text)
    return [f"not shown: {text}" for text in texts if text not in shown]


def browse(path):
    """The document as Chromium has it after its scripts, if any, have run; and what it says of them."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder}",
             "--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom", path.resolve().as_uri()],
            capture_output=True, timeout=100, check=True)
    return done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")


def title(source):
    return re.search("<title>(.*?)</title>", source, re.S).group(1)


def check_browse(path):
    before = path.read_text("utf-8")
    after, said = browse(path)
    faults = Page(after, strict=False).faults
    if title(before) != title(after):
        faults.append(f"the title became {title(after)!r}")
    faults += [line for line in said.splitlines() if "CONSOLE" in line]  # something was refused: it tried
    counts = [len(re.findall("<[a-z]", text)) for text in (before, after)]
    added = len(re.findall("<tbody", after))  # a table's body is the browser's own
    if counts[0] + added != counts[1]:
        faults.append(f"{counts[0]} elements became {counts[1]}")
    return faults


def check_blocked(path):
    attack = ("<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
              "<svg onload=\"document.title='taken'\"></svg>")
    source = path.read_text("utf-8").replace("<body>", "<body>" + attack)
    faults = []
    for name, page, taken in (
        ("with its policy", source, False),
        ("without it", re.sub("<meta http-equiv[^>]*>", "", source), True),
    ):
        other = path.with_name("attacked.html")
        other.write_text(page, "utf-8")
        if (title(browse(other)[0]) == "taken") != taken:
            faults.append(f"{name} the script {'did not run' if taken else 'ran'}")
    return faults


def main():
    what, path, *texts = sys.argv[1:]
    path = pathlib.Path(path)
    checks = {"sound": check_sound, "browse": check_browse, "blocked": check_blocked}
    faults = check_shows(path, texts) if what == "shows" else checks[what](path)
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


main()
