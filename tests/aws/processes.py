"""The processes that a stage consists of: each is ended by its own id, whatever happens."""

import datetime
import http.client
import http.server
import ipaddress
import json
import os
import pathlib
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROOT = pathlib.Path(__file__).resolve().parents[2]
PURSER = pathlib.Path(os.environ.get("PURSER_PROGRAM", ROOT / "target/release/purser"))
REGION = "us-east-1"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(what, question, seconds=30.0, pause=0.1):
    """Asks until the answer is true, and gives it; fails with the last answer when time is up."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s; the last answer was {answer!r}")
        time.sleep(pause)


def answers(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def peak_megabytes(process):
    """The most memory that a process ever had, as the system tells it."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class Process:
    """A program of ours with a file that holds what it says."""

    def __init__(self, command, environment, log):
        self.log = log
        with open(log, "ab") as said:
            self.child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                          stdout=said, stderr=subprocess.STDOUT, start_new_session=True)

    def wait_for(self, port, path):
        def is_up():
            if self.child.poll() is not None:
                raise AssertionError(f"{self.child.args[0]} ended by itself:\n{self.log.read_text()[-4000:]}")
            return answers(port, path)
        wait_until(f"{self.child.args[0]} at port {port}", is_up)

    def stop(self, patience=30):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Emulator:
    """ministack with a folder of its own, in which its state outlives it."""

    def __init__(self, folder, decisions):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.code = folder / "tmp"
        self.code.mkdir(parents=True)
        # Functions get the emulator's environment, so nothing else may be in it.
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(self.code),
            "AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.url, "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1", "STATE_DIR": str(folder / "state"),
            "S3_PERSIST": "1", "S3_DATA_DIR": str(folder / "s3"),
            "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "PURSER_DECISIONS": str(decisions),
        }
        self.process = None

    def start(self):
        # Without the folder of the script in its path, where names of ours would hide those of packages.
        command = [sys.executable, "-P", str(ROOT / "tests/aws/emulator.py")]
        self.process = Process(command, self.environment, self.folder / "emulator.log")
        self.process.wait_for(self.port, "/_ministack/health")

    def functions(self):
        """The processes of functions: (process id, name of the function)."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                # Each runs in the folder that its package was unpacked to.
                if not os.readlink(entry / "cwd").startswith(f"{os.path.realpath(self.code)}/"):
                    continue
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            name = next((v for v in variables if v.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")), b"=?")
            found.append((int(entry.name), name.split(b"=", 1)[1].decode()))
        return found

    def stop(self):
        if self.process:
            self.process.stop()
        # Functions outlive the emulator; on AWS nothing of an environment is left either.
        for process, _ in self.functions():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until("no process of a function is left", lambda: not self.functions(), 10)


class Simulators:
    """Autotask, QuickBooks and Intuit, as the program serves them."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(PURSER), "simulators", "--port", str(self.port), "--state", str(folder / "simulators"),
                   "--no-limits", "--json"]
        self.log = folder / "simulators.log"
        self.process = Process(command, {"PATH": os.environ["PATH"], "HOME": str(folder)}, self.log)
        self.process.wait_for(self.port, "/_simulator/counts")

    def companies(self):
        """What was said at the start: the companies with their credentials and settings."""
        def told():
            said = self.log.read_text()
            return json.loads(said) if said.endswith("}\n") else None
        companies = wait_until("the simulators tell of their companies", told)["companies"]
        settings = {**companies[0]["settings"], "vendor_overrides": {}}
        bayside = {
            "tenant": "bayside", "owner_email": "grace@bayside.example", "realm": "9130355001000005",
            "autotask_user": "purser@bayside.example", "autotask_secret": "demo-secret-bayside",
            "integration_code": "BAYSIDEDEMOTRACKINGCODE",
            "settings": {k: v for k, v in settings.items() if k != "freight_account"},
        }
        return {company["tenant"]: company for company in [*companies, bayside]}

    def control(self, method, name, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, f"/_simulator/{name}", json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise AssertionError(f"{method} {name} {body}: {text.decode()}")
        return json.loads(text) if text else None

    def act(self, system, action, **members):
        """A person acts in one of the vendors' systems."""
        return self.control("POST", "action", {"system": system, "action": action, **members})

    def world(self):
        return self.control("GET", "world")

    def counts(self):
        """How many writes each system has seen."""
        systems = self.control("GET", "counts")["systems"]
        return {system: counted["writes"] for system, counted in systems.items()}

    def stop(self):
        self.process.stop()


class Server(http.server.ThreadingHTTPServer):
    """A small server of ours; that its caller has gone or was killed is no trouble of its."""

    daemon_threads = True

    def __init__(self, handler, tls=None):
        super().__init__(("127.0.0.1", 0), handler)
        if tls:
            # The handshake is left to the thread of its connection, so that nobody waits for another's.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)

    def stop(self):
        self.shutdown()
        self.server_close()


def own_certificate(file):
    """Writes a certificate of this machine's own address, and its key, to a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Each has a name of its own: certificates of one name are taken for one another.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"purser {secrets.token_hex(8)}")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False).sign(key, hashes.SHA256())
    )
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class Proxy:
    """The address that people use: hands everything on to the API of the stack, at its root and by TLS."""

    def __init__(self, folder):
        proxy = self
        self.certificate = folder / "proxy.pem"
        own_certificate(self.certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                proxy.hand_on(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = handle_any

            def log_message(self, *_):
                pass

        self.server = Server(Handler, tls)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        self.to = None

    def hand_on(self, request):
        port, api = self.to
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            headers = {key: value for key, value in request.headers.items() if key.lower() != "connection"}
            # By its path, because the name in Host is that of the proxy, as with a domain of one's own.
            path = f"/_aws/execute-api/{api}/$default{request.path}"
            connection.request(request.command, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            request.send_error(502, str(error))
            return
        finally:
            connection.close()
        request.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                request.send_header(key, value)
        length = answer.getheader("Content-Length") if request.command == "HEAD" else str(len(content))
        request.send_header("Content-Length", length or "0")
        request.end_headers()
        request.wfile.write(content)

    def stop(self):
        self.server.stop()
