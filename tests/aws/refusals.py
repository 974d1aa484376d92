"""What must be refused: each with the right status, and nothing changed by it."""

import json

from processes import wait_until
from story import Story, finished_run
from visitor import send

OWN = {"X-Purser-Request": "1"}
JSON = {**OWN, "Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Method, path, headers, body, status: what one of the company's own admins may not send.
REFUSED = [
    # The wrong method.
    ("POST", "/api/v1/home", JSON, "{}", 405),
    ("DELETE", "/api/v1/home", OWN, None, 405),
    ("PATCH", "/api/v1/settings", JSON, "{}", 405),
    ("PUT", "/api/v1/orders/6105", JSON, "{}", 405),
    ("GET", "/api/v1/orders/6105/sync", {}, None, 405),
    ("GET", "/api/v1/orders/6105/retry", {}, None, 405),
    ("GET", "/api/v1/runs", {}, None, 405),
    ("DELETE", "/sign-in", OWN, None, 405),
    ("TRACE", "/home", {}, None, 405),
    # Too large.
    ("PUT", "/api/v1/settings", JSON, '{"days_back": 1, "digest_to": "' + "x" * 70_000 + '"}', 413),
    ("PUT", "/api/v1/connection/autotask", JSON, " " * 2_000_000, 413),
    ("POST", "/api/v1/orders/6105/sync", JSON, " " * 70_000, 413),
    ("POST", "/api/v1/orders/retry", JSON, " " * 70_000, 413),
    # The wrong content type, or none.
    ("PUT", "/api/v1/settings", {**OWN, **FORM}, "days_back=1", 415),
    ("PUT", "/api/v1/settings", {**OWN, "Content-Type": "text/plain"}, '{"days_back":1}', 415),
    ("POST", "/api/v1/orders/6105/sync", {**OWN, "Content-Type": "application/xml"}, "<a/>", 415),
    # Malformed.
    ("PUT", "/api/v1/settings", JSON, '{"days_back":', 400),
    ("PUT", "/api/v1/settings", JSON, b"\xff\xfe", 400),
    ("PUT", "/api/v1/settings", JSON, "[]", 400),
    ("PUT", "/api/v1/settings", JSON, '{"days_back":9999}', 422),
    ("POST", "/api/v1/orders/6105/sync", JSON, '{"mail_to":"nobody"}', 422),
    ("POST", "/api/v1/orders/6105/sync", JSON, '{"unknown":1}', 422),
    ("POST", "/api/v1/orders/0/sync", JSON, "{}", 404),
    ("POST", "/api/v1/orders/PO0006105/retry", OWN, None, 404),
    ("GET", "/api/v1/orders/999999", {}, None, 404),
    ("GET", "/api/v1/orders/%00%2e%2e/preview", {}, None, 404),
    ("GET", "/api/v1/nothing/h%C3%A4r%20%2f", {}, None, 404),
    ("GET", "/settings/../../etc/passwd", {}, None, 404),
    # From elsewhere: a change without the header, or with the origin of another site.
    ("PUT", "/api/v1/settings", {"Content-Type": "application/json"}, '{"days_back":1}', 403),
    ("DELETE", "/api/v1/connection", {}, None, 403),
    ("POST", "/api/v1/runs", {**OWN, "Origin": "https://evil.example"}, None, 403),
    ("POST", "/settings", {**FORM, "Origin": "https://evil.example"}, "days_back=1", 403),
    ("POST", "/logs/retry", FORM, "", 403),
    ("GET", "/home", {"Host": "evil.example"}, None, 421),
]

# What nobody may do who is not signed in.
GUARDED = [
    ("GET", "/home"), ("GET", "/orders"), ("GET", "/orders/6105"), ("GET", "/orders/6105/preview"),
    ("GET", "/settings"), ("GET", "/settings/choices"), ("GET", "/connection"), ("GET", "/people"),
    ("GET", "/activity"), ("PUT", "/settings"), ("POST", "/orders/6105/sync"), ("POST", "/orders/6105/retry"),
    ("POST", "/orders/retry"), ("POST", "/runs"), ("DELETE", "/connection"), ("POST", "/set-up/start"),
    ("PUT", "/connection/autotask"), ("POST", "/people/invitations"),
]

SESSION = "__Host-purser-session"
GOOD_SCAN = {"version": 1, "tenant": "nobody", "run": 1}


class RequestsThatAreRefused(Story):
    @classmethod
    def begin(cls):
        cls.grace = cls.stage.connected("bayside", interval_minutes=60)
        cls.grace.ask("POST", "/set-up/start", status=202)
        cls.other = cls.stage.connected("prairie-tech", interval_minutes=60)
        wait_until("the first run ends", lambda: finished_run(cls.grace))

    def _everything(self):
        """All that a request could change, in both systems, the table and the queues."""
        told = [visitor.ask("GET", path) for visitor in (self.grace, self.other)
                for path in ("/settings", "/settings/history", "/orders", "/people", "/connection", "/activity")]
        return json.dumps([self.stage.simulators.counts(), told, self.stage.queue("WorkQueue"),
                           self.stage.queue("DeadLetterQueue"), sorted(self.stage.schedules())], sort_keys=True)

    def what_cannot_be_used_gets_its_own_status_and_changes_nothing(self):
        before = self._everything()
        for method, path, headers, body, status in REFUSED:
            with self.subTest(f"{method} {path} {headers} {str(body)[:40]}"):
                reply = self.grace.send(method, path, body, headers)
                self.assertEqual(reply.status, status, reply)
                self.assertLess(len(reply.body), 20_000)
        self.assertEqual(self._everything(), before)

    def who_is_not_signed_in_is_told_so_everywhere_and_changes_nothing(self):
        before = self._everything()
        forged, latin = "A" * 43, "\u00e4".encode().decode("latin1")
        for cookies in ({}, {SESSION: forged}, {SESSION: latin}, {"purser-session": forged}):
            nobody = self.stage.visitor()
            for method, path in GUARDED:
                with self.subTest(f"{method} {path} {cookies}"):
                    nobody.cookies = dict(cookies)
                    reply = nobody.call(method, path, {} if method in ("PUT", "POST") else None)
                    self.assertEqual(reply.status, 401, reply)
        page = self.stage.visitor().send("GET", "/logs/6105")
        self.assertEqual((page.status, page.header("location")), (303, "/sign-in?next=%2Flogs%2F6105"))
        self.assertEqual(self._everything(), before)

    def ids_of_another_company_are_as_unknown_as_any_other(self):
        before = self._everything()
        known = self.grace.read("/orders/6105")
        self.assertEqual(known["order"]["order"], 6105)
        for method, path in [("GET", "/orders/6105"), ("GET", "/orders/6105/support"),
                             ("GET", "/orders/6105/attempts/" + "a" * 26)]:
            reply = self.other.call(method, path)
            self.assertEqual(reply.status, 404, f"{method} {path}: {reply}")
        tenant = self.grace.read("/companies")["companies"][0]["tenant"]
        for path in ("/companies/current", "/companies/leave", "/companies/invitations/accept"):
            reply = self.other.call("POST", path, {"tenant": tenant})
            self.assertIn(reply.status, (403, 404), f"{path}: {reply}")
        elsewhere = {"X-Purser-Company": tenant}
        self.assertEqual(self.other.call("GET", "/home", headers=elsewhere).status, 409)
        self.assertEqual(self.other.call("POST", "/runs", headers=elsewhere).status, 409)
        member = self.grace.read("/people")["members"][0]
        removed = self.other.call("DELETE", f"/people/{member['person']}")
        self.assertEqual(removed.status, 404, removed)
        self.assertEqual(self._everything(), before)

    def events_that_cannot_be_understood_fail_aloud_and_change_nothing(self):
        before = self._everything()
        for function, event in [
            ("scanner", {}), ("scanner", []), ("scanner", {**GOOD_SCAN, "version": 2}),
            ("scanner", {**GOOD_SCAN, "more": 1}), ("scanner", {**GOOD_SCAN, "tenant": "../.."}),
            ("worker", {}), ("worker", {"Records": [{}]}), ("worker", "text"),
            ("sweeper", {}), ("sweeper", {"version": 1, "task": "dance"}), ("sweeper", {"version": 2, "task": "sweep"}),
            *[(web, event) for web in ("oauth", "settings", "sync-one", "logs", "retry")
              for event in ({}, [1], "text")],
        ]:
            with self.subTest(f"{function} {event}"):
                answer, failure = self.stage.invoke(function, event)
                self.assertTrue(failure, f"{function} took {event}: {answer}")
        self.assertEqual(self._everything(), before)
        # Each of them works on.
        self.assertEqual(self.stage.invoke("sweeper", {"version": 1, "task": "sweep"})[1], None)
        self.assertEqual(self.stage.invoke("scanner", GOOD_SCAN)[1], None)
        for path in ("/", "/settings", "/sync", "/home", "/logs"):
            self.assertLess(send(self.stage.base + path).status, 400, path)
