"""What every file of stories begins with."""

import unittest

from processes import wait_until
from stage import Stage


class Story(unittest.TestCase):
    """Steps on one stage, in the order in which they are written; when each stands on those before it, no
    other is run after one that failed.
    """

    stage: Stage
    broken = None
    # Whether each step stands on those before it.
    chained = True
    # Changes the template before it is deployed; none by default.
    prepare = None

    @classmethod
    def setUpClass(cls):
        cls.stage = Stage(cls.__name__, cls.prepare)
        cls.addClassCleanup(cls.stage.stop)
        try:
            cls.begin()
        except BaseException as error:
            error.add_note(f"what was said is in {cls.stage.folder}")
            raise

    @classmethod
    def begin(cls):
        """What stands before the first step."""

    def setUp(self):
        if self.chained and type(self).broken:
            self.fail(f"not run, because {type(self).broken} failed")

    def tearDown(self):
        problems = self._outcome.result.failures + self._outcome.result.errors
        if any(test is self for test, _ in problems) or not self._outcome.success:
            type(self).broken = type(self).broken or self._testMethodName

    def eventually(self, what, question, seconds=30.0):
        return wait_until(what, question, seconds)


def finished_run(visitor, number=1):
    """The runs of a company once this one is over."""
    runs = visitor.read("/home")["runs"]
    return runs if runs["run"] >= number and not runs["is_running"] and runs.get("ended_at") else None


def nothing_waits(stage, visitor):
    """Whether no order of a company waits. What a slow machine made wait, a sweep queues again; the one of the
    template fires every five minutes, so another is asked for."""
    if visitor.read("/home")["counts"]["waiting"] == 0:
        return True
    _, failure = stage.invoke("sweeper", {"version": 1, "task": "sweep"})
    assert failure is None, failure
    return False


def final(visitor, order, attempt):
    """An attempt once it is over."""
    told = visitor.read(f"/orders/{order}/attempts/{attempt}")
    return told if told["status"] == "final" else None
