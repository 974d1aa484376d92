"""Runs the stories in the order that the list has, and says where what was said is kept."""

import fcntl
import importlib
import inspect
import shutil
import signal
import sys
import time
import unittest

from processes import PURSER, ROOT
from stage import DECISIONS, WORK

# The permissions come last: they are judged by what every story before them has used.
FILES = ["binaries", "life", "trouble", "refusals", "many", "alarms", "browser", "permissions"]


class Loader(unittest.TestLoader):
    """Every public method of a class of stories is a step, in the order in which it is written."""

    def getTestCaseNames(self, case):
        own = [(name, method) for name, method in vars(case).items()
               if inspect.isfunction(method) and not name.startswith("_")
               and name not in ("setUp", "tearDown") and not name.startswith("ask_")]
        return [name for name, _ in own]

    def loadTestsFromModule(self, module, **_):
        cases = [value for value in vars(module).values()
                 if inspect.isclass(value) and issubclass(value, unittest.TestCase)
                 and value.__module__ == module.__name__]
        return unittest.TestSuite(self.loadTestsFromTestCase(case) for case in cases)


class Result(unittest.TextTestResult):
    """One line a step, with the seconds it took."""

    def getDescription(self, test):
        return test._testMethodName if isinstance(test, unittest.TestCase) else str(test)

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"({time.monotonic() - self.began:.1f} s) ")
        super().addSuccess(test)

    def printErrorList(self, flavour, errors):
        # Steps that were not run are counted, and tell nothing that the one before them does not.
        super().printErrorList(flavour, [(test, text) for test, text in errors if "AssertionError: not run, because" not in text])


def main(names):
    unknown = [name for name in names if name not in FILES]
    if unknown:
        sys.exit(f"there are no stories {', '.join(unknown)}; there are {', '.join(FILES)}")
    if "permissions" in names and names != FILES:
        sys.exit("permissions are judged by all other stories: give no name to run them all")
    if not PURSER.exists():
        sys.exit(f"{PURSER} is not there: build it with cargo build -p purser")
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / "lock", "w", encoding="ascii") as lock:
        # One at a time: what was said the last time is removed here.
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in WORK.glob("*-*/"):
            shutil.rmtree(folder)
        DECISIONS.unlink(missing_ok=True)
        tell(names or FILES)


def tell(chosen):
    # Whoever ends this process ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    suite = unittest.TestSuite(Loader().loadTestsFromModule(importlib.import_module(name)) for name in chosen)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    if not result.wasSuccessful() or result.testsRun == 0:
        print(f"What emulator, functions and simulators said is in {WORK.relative_to(ROOT)}.")
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
