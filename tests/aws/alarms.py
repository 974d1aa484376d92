"""Alarms that fire: judged by the alarms as they are deployed and by what the functions have said.

ministack takes no metrics out of logs and judges alarms without their dimensions and periods, so both
are done here, in the way that CloudWatch documents. Where an alarm wants several periods, the same
measurement is taken again and dated a period later, because nobody waits a quarter of an hour.
"""

import json
import time

from processes import ROOT, wait_until
from stage import STACK, TIME_SCALE
from story import Story, finished_run

TENANT = "bayside"
# One that the first run refuses.
ORDER = 6105
SWEEP = {"version": 1, "task": "sweep"}
OPERATORS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min, "SampleCount": len,
              "Average": lambda values: sum(values) / len(values)}


def measured(lines):
    """What CloudWatch takes out of lines of the Embedded Metric Format: (name, dimensions, moment, value)."""
    points = []
    for line in lines:
        about = line.get("_aws")
        for directive in about["CloudWatchMetrics"] if about else []:
            for dimensions in directive["Dimensions"]:
                named = {dimension: line[dimension] for dimension in dimensions}
                for metric in directive["Metrics"]:
                    values = line[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        name = (directive["Namespace"], metric["Name"])
                        points.append((name, named, about["Timestamp"] / 1000, value))
    return points


def state(alarm, points, now):
    """The state of an alarm at a moment: ALARM or OK."""
    wanted = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}
    own = [(moment, value) for name, dimensions, moment, value in points
           if name == (alarm["Namespace"], alarm["MetricName"]) and dimensions == wanted]
    is_breached, bad = OPERATORS[alarm["ComparisonOperator"]], 0
    for period in range(alarm["EvaluationPeriods"]):
        end = now - period * alarm["Period"]
        values = [value for moment, value in own if end - alarm["Period"] < moment <= end]
        if values:
            bad += is_breached(STATISTICS[alarm["Statistic"]](values), alarm["Threshold"])
        else:
            bad += alarm["TreatMissingData"] == "breaching"
    return "ALARM" if bad >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) else "OK"


class Alarms(Story):
    @classmethod
    def begin(cls):
        template = (ROOT / "infra/alarms.yaml").read_text()
        cls.stage.deploy("purser-alarms", template, {"Application": STACK})
        found = cls.stage.aws("cloudwatch").describe_alarms()["MetricAlarms"]
        cls.alarms = {alarm["AlarmName"].removeprefix(f"{STACK}-"): alarm for alarm in found}
        cls.points = []
        cls.grace = cls.stage.connected(TENANT, interval_minutes=60)
        cls.grace.ask("POST", "/set-up/start", status=202)
        wait_until("the first run ends", lambda: finished_run(cls.grace))
        cls._put_an_order_in_doubt()

    @classmethod
    def _put_an_order_in_doubt(cls):
        """A bill is sent, its answer never comes, and QuickBooks says nothing any more about bills."""
        lines = [{"product": None, "memo": "in doubt", "quantity": 1, "unit_cost": "10.00"}]
        cls.doubtful = cls.stage.act(TENANT, "create_order", order={"vendor": 301, "lines": lines})["id"]
        lost = {"system": "quickbooks", "route": "POST bill", "nth": 1, "times": 1, "kind": "drop_after"}
        out = {"system": "quickbooks", "route": "POST query Bill", "nth": 1, "times": 4_000_000_000,
               "kind": {"status": {"status": 503, "body": ""}}}
        cls.stage.simulators.control("POST", "faults", [lost])
        cls.grace.ask("POST", f"/orders/{cls.doubtful}/sync", {}, 202)
        wait_until("the bill was sent", lambda: any(
            f"AT-PO:{cls.doubtful} " in bill["PrivateNote"] for bill in cls.stage.bills(TENANT)))
        cls.stage.simulators.control("POST", "faults", [out])
        cls.since = time.monotonic()

    def _measure_logs(self):
        """What the functions have measured, in their logs."""
        return [point for function in ("scanner", "worker", "sweeper") for point in measured(self.stage.told(function))]

    def _measure_queues(self):
        """What SQS measures by itself."""
        ready, _ = self.stage.queue("DeadLetterQueue")
        name = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
        return [(name, {"QueueName": f"{STACK}-dead.fifo"}, time.time(), ready)]

    def _state(self, name, points, now=None):
        return state(self.alarms[name], points, now or time.time())

    def every_alarm_of_ours_names_a_metric_that_a_function_has_told(self):
        self.stage.invoke("sweeper", SWEEP)
        told = {(name, tuple(sorted(dimensions.items()))) for name, dimensions, _, _ in self._measure_logs()}
        for name, alarm in self.alarms.items():
            # Failures of the store are told when there are any; their alarm has a step of its own.
            if alarm["Namespace"] == "Purser" and name != "store-errors":
                dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
                key = ((alarm["Namespace"], alarm["MetricName"]), tuple(sorted(dimensions.items())))
                self.assertIn(key, told, name)

    def all_is_quiet_while_all_is_well(self):
        points = [*self._measure_logs(), *self._measure_queues()]
        loud = [name for name in self.alarms if self._state(name, points) == "ALARM"]
        self.assertEqual(loud, [])

    def a_dead_letter_fires_its_alarm(self):
        self.stage.aws("sqs").send_message(
            QueueUrl=self.stage.outputs["WorkQueue"], MessageBody="no message", MessageGroupId="x#background",
            MessageDeduplicationId=str(time.time_ns()))
        self.eventually("it is set aside", lambda: self.stage.queue("DeadLetterQueue")[0] == 1)
        self.assertEqual(self._state("dead-letters", self._measure_queues()), "ALARM")
        # The emulator keeps what a function says when the function has answered, which is after the letter.
        self.eventually("the worker tells of it, too", lambda: sum(
            value for name, _, _, value in self._measure_logs() if name[1] == "DeadLettersSetAside") == 1)

    def _set_body(self, body):
        """Damages the record of an order, or mends it; answers whose it is, and what it was."""
        tenant = self.grace.read("/companies")["companies"][0]["tenant"]
        table = self.stage.aws("dynamodb")
        found, = table.query(
            TableName="purser", KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)", ExpressionAttributeValues={
                ":pk": {"S": f"tenant#{tenant}"}, ":sk": {"S": f"record#{ORDER:020}#"}})["Items"]
        table.put_item(TableName="purser", Item={**found, "body": body})
        return tenant, found["body"]

    def messages_that_are_given_back_fire_their_alarm_although_the_worker_answers(self):
        alarm = self.alarms["store-errors"]
        event = json.loads((ROOT / "events/worker/one-order.json").read_text())
        record, = event["Records"]
        tenant, body = self._set_body({"S": "{"})
        # Whatever comes of it, the steps after this one need the record.
        self.addCleanup(self._set_body, body)
        record["body"] = json.dumps({**json.loads(record["body"]), "tenant": tenant, "orders": [ORDER]})
        points = []
        for earlier in range(alarm["DatapointsToAlarm"]):
            began = time.time()
            answer, failure = self.stage.invoke("worker", event)
            self.assertIsNone(failure, "Lambda itself sees no error")
            self.assertEqual(answer, {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]})
            points += [(name, dimensions, moment - earlier * alarm["Period"], value)
                       for name, dimensions, moment, value in self._measure_logs() if moment >= began]
        self.assertEqual(self._state("store-errors", points), "ALARM")

    def a_company_that_must_be_connected_again_fires_its_alarm(self):
        self.stage.simulators.act("intuit", "disconnect", realm=self.stage.companies[TENANT]["realm"])
        alarm = self.alarms["tenants-need-reconnect"]
        asked = self.grace.call("POST", f"/orders/{ORDER}/retry")
        self.assertEqual(asked.status, 202, asked)

        def needs_reconnect():
            # A refused token is asked about again, and the sweeper brings that about.
            self.stage.invoke("sweeper", SWEEP)
            states = {one["system"]: one["state"] for one in self.grace.read("/connection")["connections"]}
            return states["QuickBooks"] == "needs_reconnect"
        self.eventually("the connection is known to be lost", needs_reconnect, 60)
        for earlier in range(alarm["EvaluationPeriods"]):
            began = time.time()
            self.stage.invoke("sweeper", SWEEP)
            self.points += [(name, dimensions, moment - earlier * alarm["Period"], value)
                            for name, dimensions, moment, value in self._measure_logs() if moment >= began]
        self.assertEqual(self._state("tenants-need-reconnect", self.points), "ALARM")

    def a_scanner_that_fails_fires_its_alarm(self):
        alarm = self.alarms["scanner-errors"]
        points = []
        for earlier in range(alarm["EvaluationPeriods"]):
            for event in ({"version": 9}, {"version": 1, "tenant": "nobody", "run": 1}):
                _, failure = self.stage.invoke("scanner", event)
                dimensions = {"FunctionName": f"{STACK}-scanner"}
                moment = time.time() - earlier * alarm["Period"]
                points.append((("AWS/Lambda", "Errors"), dimensions, moment, 1 if failure else 0))
        self.assertEqual(self._state("scanner-errors", points), "ALARM")

    def two_hours_without_a_run_fire_their_alarm_and_one_does_not(self):
        points = self._measure_logs()
        self.assertEqual(self._state("no-scan", points), "OK")
        self.assertEqual(self._state("no-scan", points, time.time() + 3600), "OK")
        self.assertEqual(self._state("no-scan", points, time.time() + 7200), "ALARM")

    def a_quarter_of_an_hour_without_a_sweep_fires_its_alarm_whatever_mail_is_sent(self):
        self.stage.invoke("sweeper", SWEEP)
        points = self._measure_logs()
        self.assertEqual(self._state("no-sweep", points), "OK")
        later = time.time() + 900
        self.assertEqual(self._state("no-sweep", points, later), "ALARM")
        began = time.time()
        self.stage.invoke("sweeper", {"version": 1, "task": "mail"})
        mailed = [(name, dimensions, later, value) for name, dimensions, moment, value in self._measure_logs()
                  if moment >= began]
        self.assertEqual(self._state("no-sweep", [*points, *mailed], later), "ALARM")

    def an_order_in_doubt_for_too_long_fires_its_alarm(self):
        # Half an hour, divided like every other time.
        remaining = self.since + 30 * 60 / TIME_SCALE + 5 - time.monotonic()
        if remaining > 0:
            time.sleep(remaining)
        self.stage.invoke("sweeper", SWEEP)
        self.assertEqual(self._state("in-doubt-too-long", self._measure_logs()), "ALARM")

    def what_is_told_names_no_company_and_no_order(self):
        tenant = self.grace.read("/companies")["companies"][0]["tenant"]
        lines = [line for function in ("scanner", "worker", "sweeper") for line in self.stage.told(function)
                 if "_aws" in line]
        self.assertTrue(lines)
        for line in lines:
            # Numbers are measures and moments, in which any digits can follow one another.
            words = json.dumps(line, default=str)
            for number in _numbers(line):
                words = words.replace(f": {number}", ": 0")
            self.assertNotIn(tenant, words)
            self.assertNotIn(str(self.doubtful), words)


def _numbers(value):
    """Every number in a document, the longest first."""
    if isinstance(value, dict):
        found = [number for inner in value.values() for number in _numbers(inner)]
    elif isinstance(value, list):
        found = [number for inner in value for number in _numbers(inner)]
    else:
        found = [json.dumps(value)] if isinstance(value, (int, float)) and not isinstance(value, bool) else []
    return sorted(found, key=len, reverse=True)
