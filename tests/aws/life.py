"""The life of one company, from its first sign-in to its last, by way of the API alone."""

import json
import re
from datetime import datetime

from stage import FUNCTIONS, STACK, TIME_SCALE
from story import Story, final, finished_run

GRACE = "grace@bayside.example"
TENANT = "bayside"
BILLED = {6101, 6102, 6103, 6106, 6107, 6108}
REFUSED = {6104, 6105}


class TheLifeOfACompany(Story):
    @classmethod
    def begin(cls):
        cls.grace = cls.stage.visitor()
        cls.company = cls.stage.companies[TENANT]

    def sign_in_goes_to_intuit_and_ends_at_set_up(self):
        back = self.grace.sign_in(GRACE)
        self.assertEqual(back.header("location"), "/set-up")
        session, = [value for name, value in back.headers
                    if name.lower() == "set-cookie" and value.startswith("__Host-purser-session=")]
        for word in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            self.assertIn(word, session)
        self.assertEqual(self.grace.read("/me")["email"], GRACE)
        self.assertEqual(self.grace.read("/set-up")["step"], "quick_books")

    def a_consent_connects_the_quickbooks_company(self):
        self.grace.connect_quickbooks(GRACE, self.company["realm"])
        self.assertEqual(self.stage.simulators.world()["intuit"]["live_grants"][self.company["realm"]], 1)
        self.assertEqual(self.grace.read("/set-up")["step"], "autotask")

    def autotask_credentials_are_tried_before_they_are_stored(self):
        right = {"user": self.company["autotask_user"], "secret": self.company["autotask_secret"],
                 "integration_code": self.company["integration_code"]}
        wrong = self.grace.call("PUT", "/connection/autotask", {**right, "secret": "wrong"})
        self.assertEqual(wrong.status, 409, wrong)
        self.assertEqual(wrong.json()["code"], "connection.autotask_unauthorised")
        self.assertEqual(self.grace.read("/set-up")["step"], "autotask")
        self.grace.ask("PUT", "/connection/autotask", right)
        self.assertEqual(self.grace.read("/set-up")["step"], "settings")

    def settings_offer_what_both_systems_hold_now_and_are_saved(self):
        choices = self.grace.read("/settings/choices")
        self.assertIn("Accounts Payable (A/P)", str(choices))
        self.assertIn("Olivia Bennett", str(choices))
        saved = self.grace.ask("PUT", "/settings", {
            **self.company["settings"], "interval_minutes": 1, "digest_to": "digest@bayside.example"})
        self.assertEqual(saved["settings"]["payable_account"]["label"], "Accounts Payable (A/P)")
        self.assertEqual(self.grace.read("/set-up")["step"], "review")
        self.assertEqual(self.grace.read("/settings")["settings"]["interval_minutes"], 1)
        self.assertEqual(self.stage.bills(TENANT), [], "nothing is transferred before Connect")

    def connect_starts_the_first_run_by_a_schedule_and_bills_what_can_be_billed(self):
        self.grace.ask("POST", "/set-up/start", status=202)
        self.eventually("the first run ends", lambda: finished_run(self.grace))
        self.assertEqual(len(self.stage.bills(TENANT)), len(BILLED))
        for function in ("scanner", "worker"):
            self.assertTrue(self.stage.told(function), f"{function} has told of its work")

    def numbers_are_written_back_and_refusals_get_error_and_one_todo(self):
        orders = self.stage.orders(TENANT)
        bills = {bill["Id"] for bill in self.stage.bills(TENANT)}
        self.assertEqual({orders[order]["external_number"] for order in BILLED}, bills)
        self.assertEqual({orders[order]["external_number"] for order in REFUSED}, {"ERROR"})
        todos = self.stage.simulators.world()["autotask"][self.company["autotask_user"]]["todos"]
        named = sorted(int(re.match(r"\[PO (\d+)\]", todo["description"])[1]) for todo in todos)
        self.assertEqual(named, sorted(REFUSED))

    def the_next_run_is_armed_and_fires_by_itself(self):
        second = self.eventually("the second run ends", lambda: finished_run(self.grace, 2))
        self.assertEqual(len(self.stage.bills(TENANT)), len(BILLED), "a second run makes no second bill")
        ended = datetime.fromisoformat(second["ended_at"][:26].rstrip("Z") + "+00:00")
        following = datetime.fromisoformat(second["next_at"][:26].rstrip("Z") + "+00:00")
        self.assertAlmostEqual((following - ended).total_seconds(), 60 / TIME_SCALE, delta=1.5)
        # From here on the company's runs are 15 minutes apart, so that one schedule stands still.
        self.grace.ask("PUT", "/settings", {**self.company["settings"], "interval_minutes": 60})

        def is_armed():
            armed = self.stage.schedules()
            return armed if len(armed) == 1 and "at(" in str(armed) else None
        armed = self.eventually("one run is armed", is_armed)
        (name, schedule), = armed.items()
        self.assertEqual(schedule["ActionAfterCompletion"], "DELETE")
        self.assertEqual(schedule["Target"]["Arn"].rsplit(":", 1)[1], f"{STACK}-scanner")
        self.assertEqual(json.loads(schedule["Target"]["Input"])["version"], 1)

    def pages_and_what_they_are_made_of_come_through_the_api(self):
        for path, words in [("/home", "Bayside"), ("/logs", "PO0006104"), ("/logs/6104", "unit cost"),
                            ("/settings", "Days back"), ("/sync", "Do It Now"), ("/connection", "Autotask"),
                            ("/people", GRACE), ("/activity", GRACE)]:
            page = self.grace.send("GET", path)
            self.assertEqual(page.status, 200, page)
            self.assertIn(words, page.body.decode(), path)
            self.assertIn("text/html", page.header("content-type"))
        csv = self.grace.send("GET", "/logs/export")
        self.assertIn("PO0006104", csv.body.decode())
        home = self.grace.send("GET", "/home").body.decode()
        for asset in re.findall(r'(?:href|src)="(/assets/[^"]+)"', home):
            self.assertEqual(self.grace.send("GET", asset).status, 200, asset)

    def a_preview_shows_the_exact_bill_and_changes_nothing(self):
        self.stage.act(TENANT, "clear_number", order=6101)
        before = self.stage.simulators.counts()
        preview = self.grace.read("/orders/6101/preview")
        self.assertIn("6101", str(preview))
        self.assertEqual(self.stage.simulators.counts(), before)
        self.assertEqual(self.stage.orders(TENANT)[6101]["external_number"], "")

    def one_order_is_synced_now_and_linked_again(self):
        asked = self.grace.ask("POST", "/orders/6101/sync", {"mail_to": "books@bayside.example"}, 202)
        self.eventually("the attempt ends", lambda: final(self.grace, 6101, asked["attempt"]))
        bills = {bill["Id"] for bill in self.stage.bills(TENANT)}
        self.assertIn(self.stage.orders(TENANT)[6101]["external_number"], bills)
        self.assertEqual(len(bills), len(BILLED), "the bill that there was is linked again")

    def a_refused_order_is_repaired_retried_and_billed(self):
        self.stage.act(TENANT, "edit_line", line=61042, unit_cost="12.34")
        asked = self.grace.ask("POST", "/orders/6104/retry", status=202)
        told = self.eventually("the attempt ends", lambda: final(self.grace, 6104, asked["attempt"]))
        self.assertEqual(told["order"]["outcome"], "billed")
        number = self.stage.orders(TENANT)[6104]["external_number"]
        self.assertIn(number, {bill["Id"] for bill in self.stage.bills(TENANT)})

        def is_completed():
            todos = self.stage.simulators.world()["autotask"][self.company["autotask_user"]]["todos"]
            return [todo for todo in todos if todo["description"].startswith("[PO 6104]") and todo["completed"]]
        self.eventually("the to-do is completed", is_completed)

    def all_refused_orders_are_retried_at_once(self):
        self.grace.ask("POST", "/orders/retry", {}, 202)
        self.eventually("the order is refused again",
                        lambda: not self.grace.read("/orders/6105")["order"]["is_running"])
        self.assertEqual(self.grace.read("/orders/6105")["order"]["outcome"], "refused")

    def a_run_can_be_asked_for(self):
        before = self.grace.read("/home")["runs"]["run"]
        self.grace.ask("POST", "/runs", status=202)
        self.eventually("another run ends", lambda: finished_run(self.grace, before + 1))

    def the_result_of_a_manual_sync_goes_out_by_mail(self):
        def is_sent():
            return [mail for mail in self.stage.mails() if "books@bayside.example" in mail["To"]]
        # The schedule of the template that sends mail fires once a minute, and is waited for; one that meets a failure
        # goes out a minute or two later.
        mail, = self.eventually("the mail goes out", is_sent, 300)
        self.assertIn("PO0006101", mail["Subject"] + mail["BodyText"])

    def refusals_of_a_run_are_told_in_a_digest(self):
        def digests():
            return [mail["BodyText"] for mail in self.stage.mails() if "digest@bayside.example" in mail["To"]]
        told = "\n".join(self.eventually("the digest goes out", digests, 300))
        for order in REFUSED:
            self.assertIn(f"PO000{order}", told)

    def somebody_is_invited_accepts_and_sees_but_changes_nothing(self):
        self.stage.simulators.act("intuit", "add_person", email="vera@bayside.example", name="Vera", realms={})
        self.grace.ask("POST", "/people/invitations", {"email": "vera@bayside.example", "role": "viewer"}, 201)
        vera = self.stage.visitor()
        vera.sign_in("vera@bayside.example")
        invited, = vera.read("/companies")["invitations"]
        vera.ask("POST", "/companies/invitations/accept", {"tenant": invited["tenant"]})
        self.assertEqual(vera.read("/orders/6104")["order"]["outcome"], "billed")
        for method, path in [("POST", "/orders/6105/retry"), ("POST", "/orders/6105/sync"),
                             ("PUT", "/settings"), ("DELETE", "/connection"), ("POST", "/runs")]:
            refused = vera.call(method, path, {} if method != "DELETE" else None)
            self.assertEqual(refused.status, 403, f"{method} {path}: {refused}")

    def the_check_finds_everything_well(self):
        self.assertNotIn('"failed"', str(self.grace.read("/connection/check")))

    def a_disconnect_gives_the_permission_back_and_keeps_the_settings(self):
        self.grace.ask("DELETE", "/connection")
        self.assertEqual(self.stage.simulators.world()["intuit"]["live_grants"].get(self.company["realm"], 0), 0)
        self.grace.connect_quickbooks(GRACE, self.company["realm"])
        self.assertEqual(self.grace.read("/settings")["settings"]["days_back"], 30)

    def a_session_that_was_signed_out_is_worth_nothing(self):
        cookies = dict(self.grace.cookies)
        self.grace.ask("DELETE", "/session")
        self.grace.cookies = cookies
        self.assertEqual(self.grace.call("GET", "/home").status, 401)

    def no_secret_name_or_amount_is_in_any_log(self):
        secrets = [self.company["autotask_secret"], self.company["integration_code"], "purser-demo-secret", "RT1-",
                   *self.grace.cookies.values(), GRACE, "books@bayside.example", "vera@bayside.example",
                   "Harborlight", "2044.51"]
        for function in FUNCTIONS:
            lines = "\n".join(self.stage.log(function))
            for secret in secrets:
                self.assertNotIn(secret, lines, function)
