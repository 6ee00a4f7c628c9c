"""PyPI authlib as a foreign resource authorization server: its IDJAGGrant on loopback trusts the lab's
issuer by the published keys alone and redeems an ID-JAG the issuer made for it."""

import logging
import secrets
import threading

import httpx
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.drafts.id_jag import IDJAGGrant
from authlib.oauth2.rfc6749 import ClientMixin, InvalidGrantError
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask
from joserfc import jwk, jwt
from werkzeug.serving import make_server

from lib import lab
from lib.admin import Admin
from lib.report import check, equal, main, ok

AUDIENCE_PATH = "/as"
SCOPES = ["documents.read", "documents.write"]


class ForeignClient(ClientMixin):
    """The one client this server knows."""

    def __init__(self, client_id, secret):
        self.client_id = client_id
        self.secret = secret

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, _redirect_uri):
        return False

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(client_secret, self.secret)

    def check_endpoint_auth_method(self, method, _endpoint):
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, _response_type):
        return False

    def check_grant_type(self, grant_type):
        return grant_type == lab.GRANT_JWT_BEARER


class Person:
    def __init__(self, subject):
        self.subject = subject

    def get_user_id(self):
        return self.subject


def grant_class(audience, issuer, jwks_uri, seen):
    """The grant with this server's hooks: one audience, one trusted issuer, an in-memory replay set."""

    class Grant(IDJAGGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

        def get_audiences(self):
            return [audience]

        def resolve_issuer_key(self, presented, _headers):
            if presented != issuer:
                raise InvalidGrantError(description="untrusted issuer")
            return jwk.KeySet.import_key_set(httpx.get(jwks_uri).json())

        def authenticate_user(self, subject):
            return Person(subject)

        def check_jti(self, claims, jti):
            if jti in seen:
                return False
            seen[jti] = claims["exp"]
            return True

        def check_id_jag_permission(self, _client, _user, scopes):
            return set(scopes) <= set(SCOPES)

    return Grant


def token_generator(issuer, key, resource):
    class AccessTokens(JWTBearerTokenGenerator):
        def get_jwks(self):
            return jwk.KeySet([key])

        def get_audiences(self, _client, _user, _scope):
            return resource

    return AccessTokens(issuer=issuer, alg="ES256")


class Ras:
    """The running server. Its issuer identifier is known before it starts, its client after."""

    def __init__(self, facts):
        self.app = Flask("authlib-ras")
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        origin = f"http://127.0.0.1:{self.server.server_port}"
        self.issuer = origin + AUDIENCE_PATH
        self.resource = origin + "/documents/mcp"
        self.token_endpoint = origin + "/token"
        self.key = jwk.ECKey.generate_key("P-256", {"kid": "authlib", "use": "sig", "alg": "ES256"})
        self.clients = {}
        oauth = AuthorizationServer(
            self.app, query_client=self.clients.get, save_token=lambda _token, _request: None
        )
        oauth.register_token_generator("default", token_generator(self.issuer, self.key, self.resource))
        oauth.register_grant(grant_class(self.issuer, facts["issuer"]["url"], facts["issuer"]["jwks_uri"], {}))
        self.app.add_url_rule("/token", "token", oauth.create_token_response, methods=["POST"])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def redeem(self, client, assertion, **extra):
        form = {"grant_type": lab.GRANT_JWT_BEARER, "assertion": assertion, **extra}
        return httpx.post(self.token_endpoint, data=form, auth=(client.client_id, client.secret))


def run():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    facts = lab.load_facts()
    connector = lab.pick_connector(facts)
    user = lab.pick_user(facts, connector)
    client = lab.pick_secret_client(facts)
    ras = Ras(facts)

    here = ForeignClient("lanyard-at-authlib", secrets.token_urlsafe(24))
    ras.clients[here.client_id] = here
    with Admin(facts) as admin:
        admin.register_foreign_ras(
            name="authlib-documents",
            issuer=ras.issuer,
            resource=ras.resource,
            scopes=SCOPES,
            client=client,
            client_id_there=here.client_id,
            groups=user["groups"],
        )
        ok("the issuer knows the foreign server", ras.issuer)

        subject = lab.id_token(facts, user, client)
        assertion = lab.exchange(facts, client, subject, ras.issuer, ras.resource, SCOPES[0])
        answer = ras.redeem(here, assertion)
        check(answer.status_code == 200, "authlib redeems the lab's ID-JAG", f"HTTP {answer.status_code} {answer.text}")
        body = answer.json()
        equal(body["token_type"], "Bearer", "the access token is a Bearer token")
        equal(body.get("scope"), SCOPES[0], "the scope is the one the issuer granted")
        claims = jwt.decode(body["access_token"], jwk.KeySet([ras.key]), algorithms=["ES256"]).claims
        equal(claims["client_id"], here.client_id, "the ID-JAG named the client by its id at authlib")
        check(claims["sub"], "the ID-JAG named a person", repr(claims.get("sub")), claims["sub"])

        answer = ras.redeem(here, assertion)
        equal((answer.status_code, answer.json()["error"]), (400, "invalid_grant"), "authlib refuses the replay")
        wide = lab.exchange(facts, client, subject, ras.issuer, ras.resource, SCOPES[0])
        answer = ras.redeem(here, wide, scope=" ".join(SCOPES))
        equal((answer.status_code, answer.json()["error"]), (400, "invalid_scope"), "authlib refuses a wider scope")

        own = lab.exchange(
            facts, client, subject, connector["audience"], connector["resource"], lab.scope_text(connector["scopes"])
        )
        answer = ras.redeem(here, own)
        equal((answer.status_code, answer.json()["error"]), (400, "invalid_grant"), "an ID-JAG for the lab's RAS is refused")
        answer = ras.redeem(here, subject)
        equal((answer.status_code, answer.json()["error"]), (400, "invalid_grant"), "an ID token is refused as assertion")


if __name__ == "__main__":
    main("authlib_ras", run)
