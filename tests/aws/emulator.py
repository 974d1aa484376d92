"""Starts ministack with the checks that AWS makes and ministack does not.

ministack decides about the calls that a function makes. It leaves out what AWS decides about on its
way to a function: whether an event source, a schedule or an API may do what it does, and whether a
schedule's role may be passed on. A stack that lacks such a permission would work here and fail on
AWS, so these checks are added. Nothing else about the emulator is changed, except where a comment
says so. Every decision about a role goes to the file that PURSER_DECISIONS names, one JSON object
a line, so that a test can compare what is granted with what is used.
"""

import contextvars
import hashlib
import json
import os
import threading

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import eventbridge, iam, lambda_svc, scheduler, ses_v2, sts

_decisions = open(os.environ["PURSER_DECISIONS"], "a", encoding="utf-8", buffering=1)
_decisions_lock = threading.Lock()
# What the request that is being judged says: the role it passes on, the sender of its mail.
_passed_role = contextvars.ContextVar("passed_role", default=None)
_sender = contextvars.ContextVar("sender", default=None)

# Calls that AWS judges under another name than ministack.
_JUDGED_AS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}

_plain_enforce = iam_evaluator.enforce
_plain_resource = iam_actions.extract_resource_arn


def _note(principal, action, resource, allowed):
    if ":assumed-role/" not in principal:
        return
    role = principal.split(":assumed-role/", 1)[1].split("/", 1)[0]
    line = json.dumps({"role": role, "action": action, "resource": resource, "allowed": allowed})
    with _decisions_lock:
        _decisions.write(line + "\n")


def _principal(access_key):
    session = sts._sessions.get(access_key) or {}
    return session.get("Arn", "")


def _decide(access_key, action, service, region, resource_arn="*", service_context=None):
    denied = _plain_enforce(access_key, action, service, region, resource_arn, service_context)
    _note(_principal(access_key), action, resource_arn, not denied)
    return denied


def _enforce(access_key, action, service, region, resource_arn="*", service_context=None):
    """As ministack's own, and who makes a schedule must be allowed to pass its role on."""
    action = _JUDGED_AS.get(action, action)
    sender, _ = _sender.get(), _sender.set(None)
    if sender and action == "ses:SendEmail":
        service_context = {**(service_context or {}), "ses:FromAddress": sender}
    denied = _decide(access_key, action, service, region, resource_arn, service_context)
    role, _ = _passed_role.get(), _passed_role.set(None)
    if not denied and role and action in ("scheduler:CreateSchedule", "scheduler:UpdateSchedule"):
        to = {"iam:PassedToService": "scheduler.amazonaws.com"}
        denied = _decide(access_key, "iam:PassRole", "iam", region, role, to)
    return denied


def _resource(service, method, path, headers, body, query, region, account):
    """As ministack's own, but for schedules and mails."""
    arn = _plain_resource(service, method, path, headers, body, query, region, account)
    try:
        asked = json.loads(body) if body else {}
    except ValueError:
        return arn
    if service == "scheduler" and ":schedule/default/" in arn:
        # ministack takes every schedule as one of the default group.
        _passed_role.set((asked.get("Target") or {}).get("RoleArn"))
        named = query.get("groupName") or ["default"]
        group = asked.get("GroupName") or (named[0] if isinstance(named, list) else named)
        return arn.replace(":schedule/default/", f":schedule/{group}/")
    if service == "ses" and path == "/v2/email/outbound-emails":
        # A mail is sent by the identity that was verified: the sender's address, or else its domain.
        sender = asked.get("FromEmailAddress", "").split("<")[-1].strip(" >")
        _sender.set(sender)
        identity = sender if sender in ses_v2._identities else sender.split("@")[-1]
        return f"arn:aws:ses:{region}:{account}:identity/{identity}"
    return arn


def _role_may(role_arn, service, action, resource, source=None):
    """Whether an AWS service, let into a role by its trust policy, may do something."""
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    key = "ASIA" + hashlib.sha256(f"{service}:{role_arn}".encode()).hexdigest()[:16].upper()
    session = {"Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{service}", "UserId": f"{name}:{service}"}
    sts.register_session(key, {**session, "SecretAccessKey": "none", "SessionToken": "none"})
    principal = iam_evaluator.resolve_principal(key, account)
    context = iam_evaluator.EvalContext(
        principal_arn=session["Arn"], principal_type="AssumedRole", principal_account=account,
        action=action, resource_arn=resource, region=scheduler.REGION,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source},
    )
    allowed = (
        not isinstance(principal, iam_evaluator.AuthError)
        and _trusts(name, f"{service}.amazonaws.com", context)
        and iam_evaluator.evaluate(context, principal.policies, *principal.limits).decision == "Allow"
    )
    _note(session["Arn"], action, resource, allowed)
    return allowed


def _trusts(name, service, context):
    """Whether a role lets a service in that acts for the source that it names."""
    document = (iam._roles.get(name) or {}).get("AssumeRolePolicyDocument") or {}
    document = json.loads(document) if isinstance(document, str) else document
    return any(
        statement["Effect"] == "Allow" and service in _listed((statement.get("Principal") or {}).get("Service"))
        and iam_evaluator._conditions_met(statement.get("Condition", {}), context)
        for statement in _listed(document.get("Statement"))
    )


def _listed(value):
    return value if isinstance(value, list) else [value]


_plain_target = eventbridge._invoke_target


def _target(target, event, rule, view=None):
    """A schedule calls its target with the rights of its role only."""
    role = target.get("RoleArn")
    group = rule.get("Arn", "").replace(":schedule/", ":schedule-group/").rsplit("/", 1)[0]
    if role and not _role_may(role, "scheduler", "lambda:InvokeFunction", target["Arn"], group):
        eventbridge.logger.error("schedule %s: %s may not invoke %s", rule.get("Name"), role, target["Arn"])
        return
    _plain_target(target, event, rule, view)


_plain_batch = lambda_svc._run_sqs_batch


def _batch(mapping, function, event, batch, url, name):
    """Messages are taken from a queue with the rights of the function's role."""
    role = (function.get("config") or function)["Role"]
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    if all([_role_may(role, "lambda", action, mapping["EventSourceArn"]) for action in actions]):
        _plain_batch(mapping, function, event, batch, url, name)
    else:
        lambda_svc.logger.error("%s may not take messages from %s", role, name)


_plain_logs = lambda_svc._emit_lambda_logs


def _logs(function, request, text, *more, **named):
    """What a function writes is kept with the rights of its role."""
    config = function.get("config") or function
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    account, region = config["FunctionArn"].split(":")[4], config["FunctionArn"].split(":")[3]
    stream = f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:any"
    actions = ("logs:CreateLogStream", "logs:PutLogEvents")
    if all([_role_may(config["Role"], "lambda", action, stream) for action in actions]):
        _plain_logs(function, request, text, *more, **named)
    else:
        lambda_svc.logger.error("%s may not write its log", config["FunctionName"])


_plain_execute = lambda_svc._execute_function_with_config_scope


def _execute(function, event):
    """An API calls a function that lets it; its cookies come as AWS sends them, in a list."""
    config = function.get("config") or function
    if isinstance(event, dict) and "apiId" in event.get("requestContext", {}):
        cookies = event["headers"].pop("cookie", None)
        if cookies:
            event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
        if not _lets_in(config, event["requestContext"]):
            lambda_svc.logger.error("%s lets no call of the API in", config["FunctionName"])
            return {"body": {"errorMessage": "the API may not invoke this function"}, "error": True}
    return _plain_execute(function, event)


def _lets_in(config, request):
    found = lambda_svc.function_policy_for_arn(config["FunctionArn"])
    policy = found[0] if found else {}
    if isinstance(policy, str):
        policy = json.loads(policy)
    account, region = config["FunctionArn"].split(":")[4], config["FunctionArn"].split(":")[3]
    # A route is named by its method and path; the method of $default is not part of it.
    parts = request["routeKey"].split(" ", 1)
    route = f"{parts[0]}{parts[1]}" if len(parts) == 2 else parts[0]
    source = f"arn:aws:execute-api:{region}:{account}:{request['apiId']}/{request['stage']}/{route}"
    for statement in policy.get("Statement", []):
        principal = statement.get("Principal") or {}
        likes = [like for test in (statement.get("Condition") or {}).values() for like in test.values()]
        if (statement.get("Effect") == "Allow" and isinstance(principal, dict)
                and principal.get("Service") == "apigateway.amazonaws.com"
                and all(iam_evaluator.fnmatch_iam(source, like) for like in likes)):
            return True
    return False


def _correct():
    iam_evaluator.enforce = _enforce
    iam_actions.extract_resource_arn = _resource
    eventbridge._invoke_target = _target
    lambda_svc._run_sqs_batch = _batch
    lambda_svc._emit_lambda_logs = _logs
    lambda_svc._execute_function_with_config_scope = _execute
    # Schedules are looked at every second instead of every ten: the stories wait for them often.
    scheduler._SCHEDULE_TICK_INTERVAL = 1


if __name__ == "__main__":
    _correct()
    app.main()
