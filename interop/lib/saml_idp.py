"""PyPI pysaml2 as a SAML identity provider on loopback; lib/saml-idp.mjs starts it and says what it can do.

Prints one line of JSON with its URL when it answers. `POST /control` changes people, service provider and faults.
"""

import base64
import datetime
import functools
import html
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, redirect, request
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, entity, saml, sigver
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NAMEID_FORMAT_PERSISTENT, NAMEID_FORMAT_TRANSIENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256
from werkzeug.serving import make_server

FORMATS = {
    "persistent": NAMEID_FORMAT_PERSISTENT,
    "email": NAMEID_FORMAT_EMAILADDRESS,
    "transient": NAMEID_FORMAT_TRANSIENT,
}
CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


# Left to itself pysaml2 encrypts by Triple DES.
CIPHERS = {
    "aes128-gcm": ("http://www.w3.org/2009/xmlenc11#aes128-gcm", "aes-128"),
    "aes256-gcm": ("http://www.w3.org/2009/xmlenc11#aes256-gcm", "aes-256"),
    "aes256-cbc": ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "aes-256"),
    "tripledes-cbc": ("http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "des-192"),
}


ENCRYPT = sigver.CryptoBackendXmlSec1.encrypt_assertion


def encrypt_by(name):
    """Makes pysaml2 encrypt by this cipher."""
    algorithm, key_type = CIPHERS[name]

    def encrypt(self, statement, enc_key, template, _key_type, *rest):
        return ENCRYPT(self, statement, enc_key, template, key_type, *rest)

    entity.pre_encryption_part = functools.partial(sigver.pre_encryption_part, msg_enc=algorithm)
    sigver.CryptoBackendXmlSec1.encrypt_assertion = encrypt


def shifted(stamp, seconds):
    """A SAML time, moved."""
    then = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ") + datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


class FaultyServer(Server):
    """pysaml2's server with a hand in what it is about to sign. `faults` holds what is to be wrong."""

    faults = {}

    def setup_assertion(self, *given, **named):
        assertion = super().setup_assertion(*given, **named)
        faults = self.faults
        conditions = assertion.conditions
        confirmation = assertion.subject.subject_confirmation[0].subject_confirmation_data
        if faults.get("shift"):
            seconds = faults["shift"]
            assertion.issue_instant = shifted(assertion.issue_instant, seconds)
            conditions.not_before = shifted(conditions.not_before, seconds)
            conditions.not_on_or_after = shifted(conditions.not_on_or_after, seconds)
            confirmation.not_on_or_after = shifted(confirmation.not_on_or_after, seconds)
            for statement in assertion.authn_statement:
                statement.authn_instant = shifted(statement.authn_instant, seconds)
        if "audience" in faults:
            conditions.audience_restriction = [
                saml.AudienceRestriction(audience=[saml.Audience(text=faults["audience"])])
            ]
        if faults.get("noAudience"):
            conditions.audience_restriction = []
        if "recipient" in faults:
            confirmation.recipient = faults["recipient"]
        if "inResponseTo" in faults:
            confirmation.in_response_to = faults["inResponseTo"]
        if "issuer" in faults:
            assertion.issuer = self._issuer(faults["issuer"])
        if "assertionId" in faults:
            assertion.id = faults["assertionId"]
        if faults.get("noAuthnStatement"):
            assertion.authn_statement = []
        return assertion

    def _add_info(self, msg, **kwargs):
        super()._add_info(msg, **kwargs)
        faults = self.faults
        if "destination" in faults:
            msg.destination = faults["destination"]
        if "inResponseTo" in faults:
            msg.in_response_to = faults["inResponseTo"]
        if "responseIssuer" in faults:
            msg.issuer = self._issuer(faults["responseIssuer"])


def key_pair(folder, name):
    """A key and a self-signed certificate, as files."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    paths = os.path.join(folder, f"{name}.key"), os.path.join(folder, f"{name}.pem")
    pem = serialization.Encoding.PEM
    with open(paths[0], "wb") as file:
        file.write(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    with open(paths[1], "wb") as file:
        file.write(certificate.public_bytes(pem))
    return paths


class Provider:
    """People, the service provider it serves, and one pysaml2 server per key."""

    def __init__(self, url, folder):
        self.url = url
        self.folder = folder
        self.entity_id = url + "/metadata"
        self.users = []
        self.settings = {}
        self.faults = {}
        self.sp = None
        self.requests = []
        self.sessions = {}
        self.sign_ins = 0
        self.servers = {}
        self.keys = {}
        for name in ("own", "other"):
            self.keys[name] = key_pair(folder, name)

    def change(self, wanted):
        for name in ("users", "settings", "faults", "sp"):
            if name in wanted:
                setattr(self, name, wanted[name])
        if wanted.get("rotate"):
            self.rotate()
        if wanted.get("signOut"):
            self.sessions.clear()
        if not {"settings", "sp", "rotate"}.isdisjoint(wanted):
            self.servers.clear()

    def rotate(self):
        self.keys["own"] = key_pair(self.folder, "own-" + secrets.token_hex(4))

    def server(self, key="own"):
        """The server that signs with this key; it knows the service provider by its metadata."""
        if key not in self.servers:
            self.servers[key] = self.make(key)
        self.servers[key].faults = self.faults
        return self.servers[key]

    def make(self, key):
        service = {
            "name": "pysaml2",
            "endpoints": {
                "single_sign_on_service": [
                    (self.url + "/sso", BINDING_HTTP_REDIRECT),
                    (self.url + "/sso", BINDING_HTTP_POST),
                ],
            },
            "name_id_format": list(FORMATS.values()),
            "want_authn_requests_signed": bool(self.settings.get("requireSignedRequests")),
            "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
        }
        config = IdPConfig().load(
            {
                "entityid": self.entity_id,
                "service": {"idp": service},
                "key_file": self.keys[key][0],
                "cert_file": self.keys[key][1],
                "xmlsec_binary": shutil.which("xmlsec1"),
                "signing_algorithm": SIG_RSA_SHA256,
                "digest_algorithm": DIGEST_SHA256,
                "metadata": {"inline": [self.sp]} if self.sp else {},
            }
        )
        return FaultyServer(config=config)

    def user(self, username):
        return next((u for u in self.users if u["username"] == username), None)

    def sign_in(self, username, password):
        user = self.user(username)
        if user is None or not user["enabled"] or not secrets.compare_digest(user["password"], password):
            return None
        self.sign_ins += 1
        return user

    def name_id(self, user):
        kind = self.settings.get("nameId", "persistent")
        values = {"persistent": user["id"], "email": user["email"], "transient": secrets.token_hex(16)}
        text = self.faults.get("nameId", values[kind])
        return NameID(format=FORMATS[kind], text=text, sp_name_qualifier=None, name_qualifier=None)

    def identity(self, user):
        attributes = {
            "mail": [user["email"]],
            "givenName": [user["firstName"]],
            "sn": [user["lastName"]],
            "isMemberOf": user["groups"],
            "eduPersonPrincipalName": [user["username"] + "@corp.example"],
        }
        return {name: values for name, values in attributes.items() if values}

    def response(self, user, acs, sp_entity_id, in_response_to):
        """The signed (and encrypted) response as XML."""
        faults = self.faults
        algorithms = {
            "sign_alg": self.settings.get("signAlg", SIG_RSA_SHA256),
            "digest_alg": self.settings.get("digestAlg", DIGEST_SHA256),
        }
        if faults.get("status"):
            info = (faults["status"], "not today")
            answer = self.server().create_error_response(
                in_response_to, destination=acs, info=info, sign=True, **algorithms
            )
            return str(answer)
        encrypt_by(self.settings.get("cipher", "aes256-gcm"))
        sign = faults.get("sign", self.settings.get("sign", "both"))
        answer = self.server(faults.get("key", "own")).create_authn_response(
            self.identity(user),
            in_response_to,
            acs,
            sp_entity_id,
            name_id=self.name_id(user),
            userid=user["username"],
            authn={"class_ref": self.settings.get("classRef", CLASS), "authn_auth": self.entity_id},
            sign_assertion=sign in ("assertion", "both"),
            sign_response=sign in ("response", "both"),
            encrypt_assertion=bool(self.settings.get("encrypt")),
            encrypt_assertion_self_contained=True,
            **algorithms,
        )
        return str(answer)


def application(provider):
    app = Flask("saml-idp")

    @app.errorhandler(Exception)
    def failed(error):
        return f"{type(error).__name__}: {html.escape(str(error)[-300:])}", getattr(error, "code", 500)

    @app.get("/metadata")
    def metadata():
        config = provider.server().config
        return Response(str(entity_descriptor(config)), mimetype="application/samlmetadata+xml")

    @app.route("/control", methods=["GET", "POST"])
    def control():
        if request.method == "POST":
            provider.change(request.get_json())
        return {"requests": provider.requests, "signIns": provider.sign_ins}

    @app.route("/sso", methods=["GET", "POST"])
    def sso():
        if "SAMLRequest" not in request.values:
            return "no SAMLRequest", 400
        binding = BINDING_HTTP_REDIRECT if request.method == "GET" else BINDING_HTTP_POST
        try:
            wanted = provider.server().parse_authn_request(
                request.values["SAMLRequest"],
                binding,
                relay_state=request.args.get("RelayState"),
                sigalg=request.args.get("SigAlg"),
                signature=request.args.get("Signature"),
            )
        except Exception as error:  # pysaml2 raises what it likes
            return f"request refused: {type(error).__name__} {html.escape(str(error))}", 400
        if wanted is None:
            return "request refused", 400
        message = wanted.message
        found = {
            "id": message.id,
            "issuer": message.issuer.text,
            "binding": binding,
            "signed": "Signature" in request.args or message.signature is not None,
            "destination": message.destination,
            "acsUrl": message.assertion_consumer_service_url,
            "forceAuthn": message.force_authn,
            "isPassive": message.is_passive,
            "nameIdFormat": message.name_id_policy.format if message.name_id_policy else None,
            "classRefs": [c.text for c in message.requested_authn_context.authn_context_class_ref]
            if message.requested_authn_context
            else [],
            "relayState": request.values.get("RelayState"),
        }
        args = provider.server().response_args(message, [BINDING_HTTP_POST])
        pending = {**found, "acs": args["destination"], "sp": args["sp_entity_id"]}
        provider.requests.append(found)
        return form_or_answer(pending, message.force_authn == "true")

    @app.get("/unsolicited")
    def unsolicited():
        """Sign-in that starts here, without any request."""
        relay = request.args.get("RelayState")
        return form_or_answer({"id": None, "acs": request.args["acs"], "sp": request.args["sp"], "relayState": relay}, False)

    @app.post("/sign-in")
    def sign_in():
        pending = json.loads(request.form["pending"])
        user = provider.sign_in(request.form["username"], request.form["password"])
        if user is None:
            return form(pending, "Wrong user name or password."), 403
        cookie = secrets.token_hex(16)
        provider.sessions[cookie] = user["username"]
        answer = Response(answer_page(user, pending))
        answer.set_cookie("saml_idp", cookie, httponly=True)
        return answer

    def form_or_answer(pending, force):
        user = provider.user(provider.sessions.get(request.cookies.get("saml_idp", "")))
        return form(pending, "") if force or user is None else answer_page(user, pending)

    def form(pending, message):
        return (
            f'<!doctype html><html lang="en"><title>Sign in</title><p>{message}</p>'
            '<form method="post" action="/sign-in">'
            f'<input type="hidden" name="pending" value="{html.escape(json.dumps(pending))}">'
            '<label>User name <input name="username"></label>'
            '<label>Password <input name="password" type="password"></label><button>Sign in</button></form>'
        )

    def answer_page(user, pending):
        xml = provider.response(user, pending["acs"], pending["sp"], pending["id"])
        encoded = base64.b64encode(xml.encode()).decode()
        relay = pending.get("relayState")
        field = f'<input type="hidden" name="RelayState" value="{html.escape(relay)}">' if relay else ""
        return (
            '<!doctype html><html lang="en"><title>One moment</title>'
            f'<form method="post" action="{html.escape(pending["acs"])}">'
            f'<input type="hidden" name="SAMLResponse" value="{encoded}">{field}<button>Continue</button></form>'
            "<script>document.forms[0].submit()</script>"
        )

    return app


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    if shutil.which("xmlsec1") is None:
        sys.exit("missing: xmlsec1 (on Debian: xmlsec1); pysaml2 signs by it")
    # So that the folder with the keys goes away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="lanyard-saml-idp-") as folder:
        holder = Flask("starting")
        server = make_server("127.0.0.1", 0, holder, threaded=True)
        url = f"http://127.0.0.1:{server.server_port}"
        server.app = application(Provider(url, folder))
        print(json.dumps({"url": url}), flush=True)
        # Ends with the program that started it.
        threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
        server.serve_forever()


if __name__ == "__main__":
    main()
