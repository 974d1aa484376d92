"""The story of an operator and a bookkeeper in a real browser, told to the deployment."""

import os
import re
import subprocess

from processes import ROOT
from story import Story


class TheBrowser(Story):
    def the_story_of_the_browser_tests_is_the_same_here(self):
        environment = {
            **os.environ, "PURSER_STORY_URL": self.stage.base, "PURSER_STORY_SIMULATORS": self.stage.simulators.url,
            "PURSER_STORY_MAILS": f"{self.stage.emulator.url}/_ministack/ses/messages",
        }
        told = subprocess.run(
            [ROOT / ".tools/bin/node", "--test", "--test-reporter=tap", ROOT / "tests/browser/story.test.mjs"],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1500, check=False)
        (self.stage.folder / "browser.log").write_text(told.stdout + told.stderr)
        counts = dict(re.findall(r"^# (tests|pass|fail|skipped|cancelled) (\d+)$", told.stdout, re.MULTILINE))
        # What a step says of its failure may have several lines; its stack is in the log.
        problems = "\n".join(re.findall(r"^ *not ok .*?(?=^ *code:)", told.stdout, re.MULTILINE | re.DOTALL))
        self.assertEqual(told.returncode, 0, problems or told.stderr[-2000:])
        written = len(re.findall(r"^  it\('", (ROOT / "tests/browser/story.test.mjs").read_text(), re.MULTILINE))
        self.assertEqual((int(counts["pass"]), int(counts["tests"])), (written, written), counts)
        print(f"({counts['pass']} stories) ", end="")
