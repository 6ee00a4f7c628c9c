"""A peer for `cargo xtask bench`: Authlib as both authorization servers, on Flask under gunicorn.

Leg 2 is Authlib's own IDJAGGrant with its RFC 9068 access tokens. Authlib has no token exchange, so leg 1 is the
least code on its BaseGrant. One dictionary as replay memory, no audit, no store, no policy: this flatters the peer.
"""

import json
import os
import secrets
import time

from authlib.common.security import generate_token
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.drafts.id_jag import IDJAGGrant
from authlib.oauth2.rfc6749 import (
    BaseGrant,
    ClientMixin,
    InvalidGrantError,
    InvalidRequestError,
    TokenEndpointMixin,
)
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask
from joserfc import jwk, jwt
from joserfc.errors import JoseError

ISSUER = os.environ["ISSUER"]
ID_TOKEN_ISSUER = os.environ["ID_TOKEN_ISSUER"]
CONNECTORS = int(os.environ["CONNECTORS"])
ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"

with open(os.environ["JWKS"], encoding="utf-8") as file:
    ID_TOKEN_KEYS = jwk.KeySet.import_key_set(json.load(file))
SIGNING_KEY = jwk.ECKey.generate_key("P-256", {"kid": "peer"})
SIGNING_SET = jwk.KeySet([SIGNING_KEY])
SEEN = {}


class Client(ClientMixin):
    def get_client_id(self):
        return "bench-client"

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return False

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(client_secret, "bench-secret")

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return False

    def check_grant_type(self, grant_type):
        return True


class User:
    def __init__(self, sub):
        self.sub = sub

    def get_user_id(self):
        return self.sub


CLIENTS = {"bench-client": Client()}
ID_TOKEN_CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ID_TOKEN_ISSUER},
    aud={"essential": True, "value": "bench-client"},
    sub={"essential": True},
    exp={"essential": True},
)


class Exchange(BaseGrant, TokenEndpointMixin):
    GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"

    def validate_token_request(self):
        self.request.client = self.authenticate_token_endpoint_client()
        form = self.request.form
        if form.get("requested_token_type") != ID_JAG:
            raise InvalidRequestError("requested_token_type")
        try:
            token = jwt.decode(form["subject_token"], ID_TOKEN_KEYS, algorithms=["ES256"])
            ID_TOKEN_CLAIMS.validate(token.claims)
        except JoseError as error:
            raise InvalidGrantError(str(error)) from error
        self.sub = token.claims["sub"]

    def create_token_response(self):
        form = self.request.form
        now = int(time.time())
        token = IDJAGGrant.sign(
            SIGNING_KEY,
            issuer=ISSUER,
            audience=form["audience"],
            subject=self.sub,
            client_id=self.request.client.get_client_id(),
            jti=generate_token(22),
            issued_at=now,
            expires_at=now + 300,
            claims={"scope": form["scope"], "resource": form["resource"]},
            alg="ES256",
        )
        body = {
            "issued_token_type": ID_JAG,
            "access_token": token,
            "token_type": "N_A",
            "scope": form["scope"],
            "expires_in": 300,
        }
        return 200, body, self.TOKEN_RESPONSE_HEADER


class Redeem(IDJAGGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def get_audiences(self):
        return [f"{ISSUER}/as/{n}" for n in range(CONNECTORS)]

    def resolve_issuer_key(self, issuer, headers):
        if issuer != ISSUER:
            raise InvalidGrantError("issuer")
        return SIGNING_SET

    def authenticate_user(self, subject):
        return User(subject)

    def check_jti(self, claims, jti):
        if jti in SEEN:
            return False
        SEEN[jti] = claims["exp"]
        return True

    def check_id_jag_permission(self, client, user, scopes):
        return True


class AccessTokens(JWTBearerTokenGenerator):
    def get_jwks(self):
        return SIGNING_SET

    def get_audiences(self, client, user, scope):
        return "http://127.0.0.1:9300/mcp/0"


app = Flask(__name__)
server = AuthorizationServer(app, query_client=CLIENTS.get, save_token=lambda token, request: None)
server.register_token_generator("default", AccessTokens(issuer=ISSUER, alg="ES256"))
server.register_grant(Exchange)
server.register_grant(Redeem)


@app.route("/token", methods=["POST"])
def token():
    return server.create_token_response()
