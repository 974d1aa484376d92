"""A whole deployment: the emulator with both stacks, the vendors' simulators, and the address of people."""

import atexit
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time
import zipfile

import boto3
from botocore.config import Config

from processes import REGION, ROOT, Emulator, Proxy, Simulators, wait_until
from visitor import Visitor, send, trusted

FUNCTIONS = ["scanner", "worker", "sweeper", "oauth", "settings", "sync-one", "logs", "retry"]
WORK = ROOT / "target/aws"
DECISIONS = WORK / "decisions.jsonl"
STACK = "purser"
FOUNDATION = "purser-foundation"
TIME_SCALE = 20
# As the template has it; the scale divides our times only, so the queue's is divided by the stage.
VISIBILITY_SECONDS = 540
MAIL_FROM = "purser@purser.example"


@functools.cache
def zipped(function):
    """The package of one function, made of its release binary; once in a run."""
    binary = pathlib.Path(os.environ.get("PURSER_BINARIES", ROOT / "target/release")) / function
    package = WORK / "packages" / f"{function}.zip"
    package.parent.mkdir(parents=True, exist_ok=True)
    entry = zipfile.ZipInfo("bootstrap", (2026, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(package, "w") as file:
        file.writestr(entry, binary.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return package


class Stage:
    """Everything that a story needs; `stop` ends it and keeps what it said under target/aws."""

    def __init__(self, name, prepare=None):
        WORK.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=WORK))
        self.parts = []
        # Also when somebody ends the run before its end.
        atexit.register(self.stop)
        try:
            self._start(prepare)
        except BaseException:
            self.stop()
            raise

    def _start(self, prepare):
        self.emulator = self._part(Emulator(self.folder, DECISIONS))
        self.emulator.start()
        self.simulators = self._part(Simulators(self.folder))
        self.companies = self.simulators.companies()
        self.proxy = self._part(Proxy(self.folder))
        trusted.load_verify_locations(self.proxy.certificate)
        self.base = self.proxy.url
        self.simulators.act("intuit", "add_redirect", client="purser-demo", uri=f"{self.base}/oauth/callback")
        began = time.monotonic()
        self.outputs = self._deploy(prepare)
        self.proxy.to = (self.emulator.port, self.outputs["ApiId"])
        self.deployed_seconds = time.monotonic() - began

    def _part(self, part):
        self.parts.append(part)
        return part

    # AWS.

    def aws(self, service):
        return boto3.client(service, endpoint_url=self.emulator.url, region_name=REGION,
                            aws_access_key_id="test", aws_secret_access_key="test",
                            config=Config(retries={"total_max_attempts": 1}, read_timeout=120))

    def _deploy(self, prepare):
        code = self.aws("s3")
        code.create_bucket(Bucket="code")
        for function in FUNCTIONS:
            code.upload_file(str(zipped(function)), "code", f"{function}.zip")
        self.deploy(FOUNDATION, (ROOT / "infra/foundation.yaml").read_text(), {})
        registration = json.dumps({"client_id": "purser-demo", "client_secret": "purser-demo-secret"})
        self.aws("secretsmanager").put_secret_value(SecretId=f"{FOUNDATION}/intuit-app", SecretString=registration)
        self.aws("sesv2").create_email_identity(EmailIdentity=MAIL_FROM.split("@")[1])
        template = packaged((ROOT / "template.yaml").read_text())
        self.template = prepare(template) if prepare else template
        outputs = self.deploy_application()
        visibility = str(VISIBILITY_SECONDS // TIME_SCALE)
        self.aws("sqs").set_queue_attributes(
            QueueUrl=outputs["WorkQueue"], Attributes={"VisibilityTimeout": visibility})
        return outputs

    def deploy_application(self, **changed):
        """Deploys the application, or deploys it again with other parameters."""
        return self.deploy(STACK, self.template, {**self._parameters(), **changed})

    def _parameters(self):
        return {
            "Foundation": FOUNDATION, "MailFrom": MAIL_FROM, "MailIdentity": MAIL_FROM.split("@")[1],
            "PublicUrl": f"{self.base}/", "Architecture": "x86_64", "AllowLocalEndpoints": "1",
            "TimeScale": str(TIME_SCALE), "LogLevel": os.environ.get("PURSER_LOG", "info"),
            "QuickBooksUrl": self.simulators.url,
            "AutotaskZoneUrl": self.simulators.url,
            "IntuitDiscoveryUrl": f"{self.simulators.url}/.well-known/openid_configuration",
        }

    def deploy(self, name, template, parameters):
        """What `aws cloudformation deploy` does; answers the outputs."""
        stacks = self.aws("cloudformation")
        known = [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]]
        change = stacks.create_change_set(
            StackName=name, ChangeSetName=f"change-{time.time_ns()}", TemplateBody=template,
            ChangeSetType="UPDATE" if name in known else "CREATE",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )["Id"]

        def is_made():
            made = stacks.describe_change_set(ChangeSetName=change)
            if made["Status"] == "FAILED":
                raise AssertionError(f"{name}: {made.get('StatusReason')}")
            return made["Status"] == "CREATE_COMPLETE"
        wait_until(f"the changes of {name}", is_made)
        stacks.execute_change_set(ChangeSetName=change)

        def is_done():
            stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack
        stack = wait_until(f"the stack {name}", is_done, 60)
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = stacks.describe_stack_events(StackName=name)["StackEvents"]
            why = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in events
                   if "FAILED" in event["ResourceStatus"]]
            raise AssertionError(f"{name} is {stack['StackStatus']}:\n" + "\n".join(why))
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def invoke(self, function, event):
        """Calls a function with an event; answers what it answers, and how it failed."""
        answer = self.aws("lambda").invoke(FunctionName=f"{STACK}-{function}", Payload=json.dumps(event))
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def queue(self, which):
        """How many messages a queue holds: (to be taken, taken and not yet done with)."""
        found = self.aws("sqs").get_queue_attributes(QueueUrl=self.outputs[which], AttributeNames=["All"])
        counts = found["Attributes"]
        return (int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"]))

    def schedules(self):
        """The armed runs: name to schedule."""
        scheduler = self.aws("scheduler")
        group = f"{STACK}-runs"
        listed = scheduler.list_schedules(GroupName=group)["Schedules"]
        names = [schedule["Name"] for schedule in listed if schedule["GroupName"] == group]
        return {name: scheduler.get_schedule(Name=name, GroupName=group) for name in names}

    def mails(self):
        """What was sent by SES."""
        sent = send(f"{self.emulator.url}/_ministack/ses/messages").json()["messages"]
        return [mail for mails in sent.values() for mail in mails]

    def log(self, function):
        """Every line that a function has written."""
        group, token, lines = f"/aws/lambda/{STACK}-{function}", {}, []
        logs = self.aws("logs")
        while True:
            page = logs.filter_log_events(logGroupName=group, **token)
            lines += [event["message"] for event in page["events"]]
            if not page.get("nextToken"):
                return lines
            token = {"nextToken": page["nextToken"]}

    def told(self, function):
        """The JSON lines among them."""
        return [json.loads(line) for line in self.log(function) if line.startswith("{")]

    # What happens to a deployment.

    def kill(self, function):
        """Ends a function's processes in the middle of what they do; answers how many."""
        killed = 0
        for process, name in self.emulator.functions():
            if name == f"{STACK}-{function}":
                os.kill(process, signal.SIGKILL)
                killed += 1
        return killed

    def restart_emulator(self):
        self.emulator.stop()
        self.emulator.start()

    def visitor(self):
        return Visitor(self.base)

    def connected(self, tenant, **settings):
        """The admin of a company that is set up, and whose transfer has not begun."""
        company = self.companies[tenant]
        company = {**company, "settings": {**company["settings"], **settings}}
        visitor = self.visitor()
        visitor.set_up(company)
        return visitor

    # The vendors' side.

    def act(self, tenant, action, **members):
        """A person of a company acts in Autotask."""
        user = self.companies[tenant]["autotask_user"]
        return self.simulators.act("autotask", action, database=user, **members)

    def bills(self, tenant):
        return self.simulators.world()["quickbooks"][self.companies[tenant]["realm"]]["bills"]

    def orders(self, tenant):
        """The orders in Autotask: id to order."""
        orders = self.simulators.world()["autotask"][self.companies[tenant]["autotask_user"]]["orders"]
        return {order["id"]: order for order in orders}

    def stop(self):
        """Keeps what the functions said, then ends every process of this stage."""
        atexit.unregister(self.stop)
        try:
            self.keep_logs()
        finally:
            while self.parts:
                self.parts.pop().stop()
            # What can be made again and is large.
            for name in ("tmp", "s3", "state"):
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def keep_logs(self):
        if not hasattr(self, "outputs"):
            return
        for function in FUNCTIONS:
            try:
                lines = self.log(function)
            except Exception as error:  # A stage whose emulator died has a log of its own.
                lines = [f"the emulator does not tell: {error}"]
            (self.folder / f"{function}.log").write_text("\n".join(lines) + "\n")


def packaged(template):
    """The template as `aws cloudformation package` leaves it: with the places of the code."""
    for function in FUNCTIONS:
        place = f"CodeUri: {{Bucket: code, Key: {function}.zip}}"
        template, count = re.subn(rf"CodeUri: functions/{function}$", place, template, flags=re.MULTILINE)
        if count != 1:
            raise AssertionError(f"template.yaml names functions/{function} {count} times instead of once")
    return template
