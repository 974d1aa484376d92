"""What goes wrong in a deployment: nobody else is held up, no bill is made twice, no order is lost."""

import json
import os
import urllib.parse
from datetime import datetime

from processes import wait_until
from stage import FOUNDATION, STACK
from story import Story, final, finished_run, nothing_waits
from visitor import send

TENANT = "bayside"
POISON = "this is no message"
FUTURE = json.dumps({"version": 99, "kind": "of tomorrow"})
ADDED = 40


class WhatGoesWrong(Story):
    @classmethod
    def begin(cls):
        cls.grace = cls.stage.connected(TENANT, interval_minutes=60)
        cls.grace.ask("POST", "/set-up/start", status=202)
        wait_until("the first run ends", lambda: finished_run(cls.grace))
        cls.tenant = cls.grace.read("/companies")["companies"][0]["tenant"]

    def _send(self, body, group):
        queue = self.stage.aws("sqs")
        queue.send_message(QueueUrl=self.stage.outputs["WorkQueue"], MessageBody=body, MessageGroupId=group,
                           MessageDeduplicationId=os.urandom(8).hex())

    def _messages(self, which):
        """The messages of a queue, without taking them."""
        url = urllib.parse.quote(self.stage.outputs[which], safe="")
        told = send(f"{self.stage.emulator.url}/_ministack/sqs/messages?QueueUrl={url}").json()["messages"]
        return [message for regions in told.values() for queues in regions.values()
                for messages in queues.values() for message in messages]

    def _order(self, memo="by the way"):
        lines = [{"product": None, "memo": memo, "quantity": 1, "unit_cost": "10.00"}]
        return self.stage.act(TENANT, "create_order", order={"vendor": 301, "lines": lines})["id"]

    def _bills_of(self, order):
        return [bill for bill in self.stage.bills(TENANT) if f"AT-PO:{order} " in bill.get("PrivateNote", "")]

    def _assert_billed_once(self, order):
        bill, = self._bills_of(order)
        self.assertEqual(self.stage.orders(TENANT)[order]["external_number"], bill["Id"])

    def _sync(self, order, seconds=30):
        asked = self.grace.ask("POST", f"/orders/{order}/sync", {}, 202)
        return self.eventually(f"{order} is final", lambda: final(self.grace, order, asked["attempt"]), seconds)

    def a_bill_that_somebody_deletes_in_quickbooks_is_noticed_and_not_made_again(self):
        bill = self.stage.orders(TENANT)[6101]["external_number"]
        realm = self.stage.companies[TENANT]["realm"]
        self.stage.simulators.act("quickbooks", "delete_bill", realm=realm, id=bill)

        def is_noticed():
            self.stage.invoke("sweeper", {"version": 1, "task": "sweep"})
            notice = self.grace.read("/orders/6101")["order"].get("notice") or {}
            return notice.get("code") == "bill.deleted"
        self.eventually("the sweeper notices it", is_noticed)
        self.assertEqual(self._bills_of(6101), [])

    def a_message_of_a_newer_version_is_left_alone(self):
        self._send(FUTURE, "tenant-of-tomorrow#background")

        def is_seen():
            return [message["MessageId"] for message in self._messages("WorkQueue")
                    if message["Body"] == FUTURE and message["ReceiveCount"] >= 1]
        type(self).first, = self.eventually("it was looked at", is_seen)

    def a_message_that_can_never_be_handled_is_set_aside_and_holds_nobody_up(self):
        group = f"{self.tenant}#background"
        self._send(POISON, group)
        self._send(json.dumps({"version": 1, "kind": "unheard of"}), f"{self.tenant}#person")
        order = self._order()
        self.assertEqual(self._sync(order)["order"]["outcome"], "billed")
        self.grace.ask("POST", "/runs", status=202)
        self.eventually("another run ends", lambda: finished_run(self.grace, 2))
        dead = self.eventually("both are set aside", lambda: (
            found if len(found := self._messages("DeadLetterQueue")) == 2 else None))
        self.assertIn(POISON, [message["Body"] for message in dead])
        self._assert_billed_once(order)

    def a_worker_that_is_killed_while_it_sends_a_bill_leaves_no_second_one(self):
        order = self._order("killed")
        silent = {"system": "quickbooks", "route": "POST bill", "nth": 1, "times": 1, "kind": "timeout_after"}
        self.stage.simulators.control("POST", "faults", [silent])
        asked = self.grace.ask("POST", f"/orders/{order}/sync", {}, 202)
        # The bill exists, and its answer has not come.
        self.eventually("the bill was sent", lambda: self._bills_of(order))
        self.assertEqual(self.stage.kill("worker"), 1)
        self.assertIsNone(self.stage.orders(TENANT)[order]["external_number"])
        told = self.eventually("the attempt is final", lambda: final(self.grace, order, asked["attempt"]), 90)
        self.assertEqual(told["order"]["outcome"], "billed")
        self._assert_billed_once(order)

    def a_worker_that_is_killed_before_it_sends_a_bill_loses_nothing(self):
        order = self._order("killed early")
        slow = {"system": "autotask", "route": "POST PurchaseOrderItems/query", "nth": 1, "times": 1,
                "kind": {"delay": {"ms": 1500}}}
        self.stage.simulators.control("POST", "faults", [slow])
        asked = self.grace.ask("POST", f"/orders/{order}/sync", {}, 202)
        self.eventually("the worker reads the order", lambda: not self.stage.simulators.control("GET", "faults"))
        self.assertEqual(self.stage.kill("worker"), 1)
        self.assertEqual(self._bills_of(order), [])
        self.eventually("the attempt is final", lambda: final(self.grace, order, asked["attempt"]), 90)
        self._assert_billed_once(order)

    def an_emulator_that_is_restarted_in_the_middle_of_a_run_loses_and_doubles_nothing(self):
        self._disturb_a_run(self.stage.restart_emulator)

    def an_upgrade_and_a_rollback_in_the_middle_of_a_run_lose_and_double_nothing(self):
        def upgrade():
            self.stage.deploy_application(LogLevel="warn")
            self.stage.deploy_application()
        self._disturb_a_run(upgrade)

    def _disturb_a_run(self, disturb):
        orders = [self._order(f"disturbed {number}") for number in range(ADDED)]
        before = len(self.stage.bills(TENANT))
        slow = {"system": "quickbooks", "route": "POST bill", "nth": 1, "times": ADDED, "kind": {"delay": {"ms": 50}}}
        self.stage.simulators.control("POST", "faults", [slow])
        number = self.grace.read("/home")["runs"]["run"]
        self.grace.ask("POST", "/runs", status=202)
        self.eventually("the run is in the middle", lambda: len(self.stage.bills(TENANT)) > before + 3)
        disturb()
        self.assertLess(len(self.stage.bills(TENANT)), before + ADDED, "the run was over before")
        self.eventually("the run ends", lambda: finished_run(self.grace, number + 1), 120)
        self.eventually("no order waits", lambda: nothing_waits(self.stage, self.grace), 60)
        for order in orders:
            self._assert_billed_once(order)

    def an_alarm_that_is_there_already_is_moved_to_the_right_time(self):
        armed = self.eventually("a run is armed", lambda: self.stage.schedules())
        (_, schedule), = armed.items()
        number = self.grace.read("/home")["runs"]["run"] + 1
        name = f"{self.tenant}-{number + 1}"
        # As if the end of the run had been handled before, by somebody who lost it again.
        kept = {key: schedule[key] for key in ("GroupName", "FlexibleTimeWindow", "ActionAfterCompletion", "Target")}
        self.stage.aws("scheduler").create_schedule(Name=name, ScheduleExpression="at(2099-01-01T00:00:00)", **kept)
        self.grace.ask("POST", "/runs", status=202)
        runs = self.eventually("a run ends", lambda: finished_run(self.grace, number))

        def is_moved():
            at = datetime.fromisoformat(self.stage.schedules()[name]["ScheduleExpression"][3:-1])
            # Schedules know whole seconds only.
            return abs((at - datetime.fromisoformat(runs["next_at"][:19])).total_seconds()) <= 1
        self.eventually("it is moved", is_moved)

    def the_sweeper_arms_a_run_whose_schedule_was_lost(self):
        # Five minutes between runs, divided by the scale.
        settings = self.stage.companies[TENANT]["settings"]
        self.grace.ask("PUT", "/settings", {**settings, "interval_minutes": 5})
        number = self.grace.read("/home")["runs"]["run"] + 1
        self.grace.ask("POST", "/runs", status=202)
        self.eventually("a run ends", lambda: finished_run(self.grace, number))
        lost = f"{self.tenant}-{number + 1}"
        self.eventually("the next one is armed", lambda: lost in self.stage.schedules())
        self.stage.aws("scheduler").delete_schedule(Name=lost, GroupName=f"{STACK}-runs")

        def is_mended():
            _, failure = self.stage.invoke("sweeper", {"version": 1, "task": "sweep"})
            self.assertIsNone(failure)
            return finished_run(self.grace, number + 1)
        self.eventually("the run that was lost has ended", is_mended, 60)

    def a_rotated_key_seals_anew_and_what_was_sealed_before_stays_open(self):
        secrets, name = self.stage.aws("secretsmanager"), f"{FOUNDATION}/autotask-key"
        ring = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
        ring.update({"2": os.urandom(32).hex(), "current": "2"})
        secrets.put_secret_value(SecretId=name, SecretString=json.dumps(ring))
        # Processes read their keys again after five minutes; fresh ones at once.
        for function in ("oauth", "worker"):
            self.stage.kill(function)
        before = self._order("sealed with the old key")
        self.assertEqual(self._sync(before, 60)["order"]["outcome"], "billed")
        company = self.stage.companies[TENANT]
        credentials = {"user": company["autotask_user"], "secret": company["autotask_secret"],
                       "integration_code": company["integration_code"]}
        self.eventually("it is sealed anew", lambda: (
            self.grace.call("PUT", "/connection/autotask", credentials).status == 200))
        ring.pop("1")
        secrets.put_secret_value(SecretId=name, SecretString=json.dumps(ring))
        self.stage.kill("worker")
        after = self._order("sealed with the new key")
        self.assertEqual(self._sync(after, 60)["order"]["outcome"], "billed")
        for order in (before, after):
            self._assert_billed_once(order)

    def the_message_of_a_newer_version_is_queued_afresh_and_never_among_the_dead_letters(self):
        def is_fresh():
            found = [message for message in self._messages("WorkQueue") if message["Body"] == FUTURE]
            return [message for message in found if message["MessageId"] != self.first]
        # A message is set aside by its queue when it was received five times; this one never is.
        message, = self.eventually("a fresh copy replaced it", is_fresh, 120)
        self.assertLess(message["ReceiveCount"], 5)
        self.assertNotIn(FUTURE, [message["Body"] for message in self._messages("DeadLetterQueue")])
