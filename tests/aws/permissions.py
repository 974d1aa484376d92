"""What each role may do is what it needs: nothing is missing, and nothing could be left out.

The emulator has decided about every call of every function in all stories before this one, and noted
each decision. A permission that is missing was denied; one that was never used is superfluous; and when
one is taken away, a call that used it is denied by the emulator's own judgement. Some of them are
taken away in a deployment that runs, to see what becomes of the company.
"""

import collections
import json
import re

from ministack.core.iam_evaluator import EvalContext, evaluate, fnmatch_iam, parse_policy_document

from processes import REGION, wait_until
from stage import DECISIONS, MAIL_FROM, STACK
from story import Story, finished_run


# Permissions that no story can bring about, and when they are needed all the same.
KEPT = {
    ("SweeperRole", "scheduler:UpdateSchedule"): "a run that somebody else arms at the same moment",
}


def plain(resource):
    """A resource without the letters of chance that Secrets Manager puts at the end of a name."""
    return re.sub(r"(:secret:.+)-[0-9a-zA-Z]{6}$", r"\1", resource)


def part(role):
    """What a role is called in the template."""
    return role.removeprefix(f"{STACK}-").rsplit("-", 1)[0]


def decisions():
    """Every decision once: (role, action, resource, allowed)."""
    found = set()
    with open(DECISIONS, encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            found.add((told["role"], told["action"], plain(told["resource"]), told["allowed"]))
    return found


def listed(value):
    return value if isinstance(value, list) else [value]


def plainly(document):
    """A policy with plain resources."""
    statements = [{**one, "Resource": [plain(resource) for resource in listed(one["Resource"])]}
                  for one in listed(document["Statement"])]
    return {**document, "Statement": statements}


def without(document, number, action, resource):
    """A policy without one action on one resource of one statement."""
    statements = list(listed(document["Statement"]))
    whole = statements.pop(number)
    others = [one for one in listed(whole["Action"]) if one != action]
    elsewhere = [one for one in listed(whole["Resource"]) if one != resource]
    if others:
        statements.append({**whole, "Action": others})
    if elsewhere:
        statements.append({**whole, "Action": action, "Resource": elsewhere})
    return {**document, "Statement": statements}


def may(policies, action, resource):
    """Whether the emulator lets a role with these policies do something."""
    # What a call that comes through says about itself.
    says = {"iam:passedtoservice": "scheduler.amazonaws.com", "ses:fromaddress": MAIL_FROM}
    context = EvalContext(principal_arn="arn:aws:sts::000000000000:assumed-role/role/session",
                          principal_type="AssumedRole", principal_account="000000000000",
                          action=action, resource_arn=resource, region=REGION, service_context=says)
    statements = [parse_policy_document(document) for document in policies.values()]
    return evaluate(context, statements).decision == "Allow"


class Permissions(Story):
    chained = False
    maxDiff = None

    @classmethod
    def begin(cls):
        cls.before = decisions()
        cls.iam = cls.stage.aws("iam")
        cls.policies = {}
        for role in cls.iam.list_roles()["Roles"]:
            name = role["RoleName"]
            attached = cls.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
            assert not attached, f"{name} has policies that are not ours: {attached}"
            inline = cls.iam.list_role_policies(RoleName=name)["PolicyNames"]
            cls.policies[name] = {
                policy: cls.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in inline
            }
        # The same with resources as decisions are noted.
        cls.judged = {role: {name: plainly(document) for name, document in policies.items()}
                      for role, policies in cls.policies.items()}
        cls.grace = cls.stage.connected("bayside", interval_minutes=60)

    def _grants(self):
        """Everything that is granted: (role, policy, statement's number, action, resource)."""
        for role, policies in self.judged.items():
            for policy, document in policies.items():
                for number, statement in enumerate(listed(document["Statement"])):
                    self.assertEqual(statement["Effect"], "Allow")
                    for action in listed(statement["Action"]):
                        for resource in listed(statement["Resource"]):
                            yield role, policy, number, action, resource

    def no_function_lacked_a_permission_in_any_story(self):
        self.assertTrue(self.before, "the stories before this one have noted decisions")
        denied = sorted(decision[:3] for decision in self.before if not decision[3])
        self.assertEqual(denied, [])

    def every_permission_was_used_in_a_story(self):
        used = collections.defaultdict(set)
        for role, action, resource, _ in self.before:
            used[role, action].add(resource)
        superfluous = [
            f"{part(role)}: {action} on {resource}" for role, _, _, action, resource in self._grants()
            if (part(role), action) not in KEPT and not any(fnmatch_iam(one, resource) for one in used[role, action])
        ]
        self.assertEqual(superfluous, [], "granted, and never used")
        idle = [key for key in KEPT if any((part(role), action) == key for role, action in used)]
        self.assertEqual(idle, [], "a story uses it, so it needs no excuse")

    def no_permission_is_a_wildcard(self):
        for role, _, _, action, resource in self._grants():
            self.assertNotIn("*", action, role)
            self.assertNotEqual(resource, "*", role)

    def without_any_one_permission_a_call_of_a_story_is_denied(self):
        taken = 0
        for role, policy, number, action, resource in list(self._grants()):
            with self.subTest(f"{role} {action} {resource}"):
                calls = [one for name, called, one, _ in self.before
                         if name == role and called == action and fnmatch_iam(one, resource)]
                if not calls:
                    continue  # Told by the step before.
                whole = self.judged[role]
                less = {**whole, policy: without(whole[policy], number, action, resource)}
                self.assertTrue(all(may(whole, action, one) for one in calls))
                self.assertFalse(all(may(less, action, one) for one in calls),
                                 "its calls are allowed by something else, too")
                taken += 1
        print(f"\n  {taken} permissions of {len(self.policies)} roles, each taken away once", end=" ")

    # In a deployment that runs.

    def _take(self, part, *actions):
        """Takes actions away from the role of a part, on every resource; answers how to give them back."""
        role = next(name for name in self.policies if name.startswith(f"{STACK}-{part}-"))
        for policy, document in self.policies[role].items():
            left = [{**statement, "Action": others} for statement in listed(document["Statement"])
                    if (others := [one for one in listed(statement["Action"]) if one not in actions])]
            # A policy cannot be empty.
            nothing = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
            self._put(role, policy, {**document, "Statement": left or [nothing]})
        return lambda: [self._put(role, policy, document) for policy, document in self.policies[role].items()]

    def _put(self, role, policy, document):
        self.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))

    def a_schedule_whose_role_may_not_invoke_starts_no_run(self):
        give_back = self._take("ScheduleRole", "lambda:InvokeFunction")
        self.grace.ask("POST", "/set-up/start", status=202)
        self._assert_denied("lambda:InvokeFunction")
        self.assertEqual(self.grace.read("/home")["runs"]["run"], 0)
        give_back()
        # What was lost meanwhile is armed again by the sweeper.
        def is_over():
            self.stage.invoke("sweeper", {"version": 1, "task": "sweep"})
            return finished_run(self.grace)
        wait_until("the first run ends", is_over, 60, 2)

    def a_worker_that_may_not_write_the_table_bills_nothing(self):
        give_back = self._take("WorkerRole", "dynamodb:UpdateItem", "dynamodb:PutItem")
        lines = [{"product": None, "memo": "no right", "quantity": 1, "unit_cost": "10.00"}]
        order = self.stage.act("bayside", "create_order", order={"vendor": 301, "lines": lines})["id"]
        before = len(self.stage.bills("bayside"))
        self.grace.ask("POST", f"/orders/{order}/sync", {}, 202)
        self._assert_denied("dynamodb:")
        self.assertEqual(len(self.stage.bills("bayside")), before, "no intent, no bill")
        give_back()
        self.eventually("it is billed once its right is back",
                        lambda: len(self.stage.bills("bayside")) == before + 1, 90)

    def a_preview_without_the_secret_says_so_and_shows_no_other_error(self):
        give_back = self._take("SettingsRole", "secretsmanager:GetSecretValue")
        self.stage.kill("settings")
        wait_until("the page has no keys", lambda: self.grace.call("GET", "/orders/6105/preview").status >= 500)
        give_back()
        wait_until("it works again", lambda: self.grace.call("GET", "/orders/6105/preview").status == 200)

    def a_retry_that_may_not_send_is_no_retry(self):
        give_back = self._take("RetryRole", "sqs:SendMessage")
        refused = self.grace.call("POST", "/orders/6105/retry")
        self.assertGreaterEqual(refused.status, 500, refused)
        give_back()
        self.grace.ask("POST", "/orders/6105/retry", status=202)

    def _assert_denied(self, action):
        def is_denied():
            return [found for found in decisions() - self.before if found[1].startswith(action) and not found[3]]
        self.eventually(f"{action} is denied", is_denied)
