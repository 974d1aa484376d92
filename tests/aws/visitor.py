"""A person with a browser, or a program of theirs, before the web application."""

import http.client
import json
import ssl
import urllib.parse


class Reply:
    """An answer, with what tests ask about it."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body.decode(errors='replace')[:2000]}"


# Whom a visitor trusts, apart from nobody: the stage's own certificate.
trusted = ssl.create_default_context()


def send(url, method="GET", body=None, headers=None, timeout=60):
    """One request that follows no redirect."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=trusted)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return Reply(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


class Visitor:
    """A browser with its cookies; the pages of Intuit are followed as a person would."""

    def __init__(self, base):
        self.base = base.rstrip("/")
        self.cookies = {}

    def send(self, method, path, body=None, headers=None):
        named = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        reply = send(self.base + path, method, body, {**named, **(headers or {})})
        for key, value in reply.headers:
            if key.lower() == "set-cookie":
                name, text = value.split(";")[0].split("=", 1)
                if "max-age=0" in value.lower():
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = text
        return reply

    def submit(self, path, fields):
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin",
                   "Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urllib.parse.urlencode(fields), headers)

    def call(self, method, path, body=None, headers=None):
        """Calls the JSON interface as a program with this session does."""
        named = {} if method == "GET" else {"X-Purser-Request": "1"}
        if body is not None:
            named["Content-Type"] = "application/json"
            body = json.dumps(body)
        return self.send(method, f"/api/v1{path}", body, {**named, **(headers or {})})

    def ask(self, method, path, body=None, status=200):
        """Calls the JSON interface and insists on the status."""
        reply = self.call(method, path, body)
        if reply.status != status:
            raise AssertionError(f"{method} {path}: {status} was expected, not {reply}")
        return reply.json() if reply.body else None

    def read(self, path):
        return self.ask("GET", path)

    def consent(self, url, email, realm=None):
        """Agrees to everything at Intuit and follows the way back."""
        fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        fields.update(email=email, action="connect")
        if realm:
            fields["realmId"] = realm
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        agreed = send(url, "POST", urllib.parse.urlencode(fields), headers)
        if agreed.status not in (302, 303):
            raise AssertionError(f"Intuit did not let {email} through: {agreed}")
        back = urllib.parse.urlsplit(agreed.header("location"))
        if f"{back.scheme}://{back.netloc}" != self.base:
            raise AssertionError(f"Intuit sends {email} to {back.geturl()} instead of {self.base}")
        return self.send("GET", f"{back.path}?{back.query}")

    def sign_in(self, email):
        begun = self.submit("/sign-in", {"next": "/home"})
        if begun.status != 303:
            raise AssertionError(f"sign-in did not begin: {begun}")
        back = self.consent(begun.header("location"), email)
        if not any(name.endswith("purser-session") for name in self.cookies):
            raise AssertionError(f"{email} could not sign in: {back} {back.header('location')}")
        return back

    def connect_quickbooks(self, email, realm, new=False):
        begun = self.ask("POST", "/connection/quickbooks", {"new": "true"} if new else {})
        back = self.consent(begun["url"], email, realm)
        if back.status not in (302, 303):
            raise AssertionError(f"{realm} was not connected: {back}")
        return back

    def set_up(self, company):
        """From the first sign-in to just before the start of the transfer."""
        self.sign_in(company["owner_email"])
        self.connect_quickbooks(company["owner_email"], company["realm"])
        self.ask("PUT", "/connection/autotask", {
            "user": company["autotask_user"], "secret": company["autotask_secret"],
            "integration_code": company["integration_code"],
        })
        return self.ask("PUT", "/settings", company["settings"])
