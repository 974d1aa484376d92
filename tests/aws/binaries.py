"""The packages as they are deployed: their size, how soon they ask for work, and what memory they take."""

import http.server
import json
import pathlib
import statistics
import subprocess
import threading
import time
import zipfile

from processes import Server, peak_megabytes, wait_until
from stage import FUNCTIONS, STACK, zipped
from story import Story

# What a package may weigh. More than this starts slower than it must, and is a defect.
ZIP_BYTES_MAX = 5_000_000
STARTS = 5
# What each function is given once, so that its memory is that of one at work.
EVENTS = {
    "scanner": {"version": 1, "tenant": "nobody", "run": 1},
    "worker": {"Records": []},
    "sweeper": {"version": 1, "task": "sweep"},
}


def request(path):
    """An event of the API for one page."""
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"accept": "text/html"}, "isBase64Encoded": False,
        "requestContext": {"accountId": "000000000000", "apiId": "api", "domainName": "localhost", "stage": "$default",
                           "routeKey": "$default", "requestId": "1", "time": "26/Nov/2026:00:00:00 +0000",
                           "timeEpoch": 1795651200000,
                           "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1",
                                    "sourceIp": "127.0.0.1", "userAgent": "stub"}},
    }


class RuntimeApi:
    """A stub of Lambda's Runtime API: notes when it is first asked for work, and gives one event."""

    def __init__(self, event):
        self.asked, self.answered, self.answer = threading.Event(), threading.Event(), None
        self.moment = None
        events, done = [event], threading.Event()
        self.done = done
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stub.moment = stub.moment or time.monotonic()
                stub.asked.set()
                if not events:
                    done.wait()
                    return
                body = json.dumps(events.pop()).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 30_000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:0:function:stub")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                stub.answer = (self.path, self.rfile.read(int(self.headers["Content-Length"] or 0)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                stub.answered.set()

            def log_message(self, *_):
                pass

        self.server = Server(Handler)

    def stop(self):
        self.done.set()
        self.server.stop()


class ThePackages(Story):
    chained = False

    def each_asks_for_work_soon_and_takes_little_memory(self):
        print("\n  function   zip MB  start to first poll, median ms  MB then  peak MB after one event")
        for function in FUNCTIONS:
            starts = [self._start(function) for _ in range(STARTS)]
            start = statistics.median(seconds for seconds, _, _ in starts) * 1000
            first, peak = max(first for _, first, _ in starts), max(peak for _, _, peak in starts)
            size = zipped(function).stat().st_size / 1024 / 1024
            print(f"  {function:<10} {size:6.2f} {start:31.1f} {first:8.1f} {peak:25.1f}")

    def each_is_at_most_five_megabytes(self):
        sizes = {function: zipped(function).stat().st_size for function in FUNCTIONS}
        self.assertEqual({name: size for name, size in sizes.items() if size > ZIP_BYTES_MAX}, {})

    def _start(self, function):
        """Starts a function as Lambda does: (seconds to the first poll, memory then, memory in the end)."""
        configuration = self.stage.aws("lambda").get_function_configuration(FunctionName=f"{STACK}-{function}")
        stub = RuntimeApi(EVENTS.get(function) or request("/" if function == "oauth" else "/home"))
        environment = {
            **configuration["Environment"]["Variables"], "AWS_ENDPOINT_URL": self.stage.emulator.url,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{stub.server.server_address[1]}", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "HOME": str(self.stage.folder),
            "AWS_LAMBDA_FUNCTION_NAME": f"{STACK}-{function}", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_LOG_GROUP_NAME": "stub",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stub", "_HANDLER": "bootstrap",
        }
        with zipfile.ZipFile(zipped(function)) as package:
            binary = pathlib.Path(package.extract("bootstrap", self.stage.folder / f"{function}-package"))
        binary.chmod(0o755)
        began = time.monotonic()
        with open(self.stage.folder / f"{function}-start.log", "ab") as said:
            child = subprocess.Popen([binary], env=environment, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            self.assertTrue(stub.asked.wait(20), f"{function} never asked for work")
            first = peak_megabytes(child.pid)
            wait_until(f"{function} answers", stub.answered.is_set, 20, 0.005)
            self.assertTrue(stub.answer[0].endswith("/response"), f"{function}: {stub.answer}")
            return stub.moment - began, first, peak_megabytes(child.pid)
        finally:
            child.kill()
            child.wait()
            stub.stop()
