"""What the Python drivers know of a lab: its facts file, people and clients, leg 1 as a plain form post."""

import json
import os
import subprocess
import sys

import httpx

from lib.report import fail

GRANT_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANT_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TYPE_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
TYPE_ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"


def load_facts():
    path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("LANYARD_FACTS")
    if not path:
        fail("facts", "give the facts file of `lanyard lab` as first argument or in LANYARD_FACTS")
    try:
        with open(path, encoding="utf-8") as file:
            facts = json.load(file)
    except (OSError, ValueError) as error:
        fail("facts", f"{path}: {error}")
    if facts.get("version") != 1:
        fail("facts", f"{path}: version {facts.get('version')}, these drivers read version 1")
    facts["file"] = path
    return facts


def pick_connector(facts, name=None):
    for connector in facts["connectors"]:
        if name and connector["name"] == name:
            return connector
        if not name and connector["status"] == "active" and connector.get("tools"):
            return connector
    return fail("facts", f"no connector {name or 'that is active and has tools'}")


def pick_user(facts, connector):
    """The active person in most of the connector's groups: the one with the widest scopes."""
    groups = set(connector.get("allowed_groups") or [])
    able = [u for u in facts["users"] if u["active"] and (not groups or groups & set(u["groups"]))]
    if not able:
        fail("facts", f"no active person in the groups of {connector['name']}")
    return max(able, key=lambda u: len(groups & set(u["groups"])))


def pick_secret_client(facts):
    for client in facts["clients"]:
        if client["idp"].get("client_secret") and client["ras"].get("client_secret"):
            return client
    return fail("facts", "no client with a secret at both the issuer and the RAS")


def id_token(facts, user, client):
    """A fresh ID token through the real sign-in: given in the environment, or by `lanyard lab id-token`."""
    given = os.environ.get("LANYARD_ID_TOKEN")
    if given:
        return given
    binary = os.environ.get("LANYARD_BIN")
    if not binary:
        fail("ID token", "set LANYARD_BIN to the lanyard binary, or LANYARD_ID_TOKEN to a token")
    command = [binary, "lab", "id-token", "--facts", facts["file"]]
    command += ["--user", user["username"], "--client", client["name"]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        fail("ID token", f"lanyard lab id-token: {done.stderr.strip()}")
    return done.stdout.strip()


def exchange(facts, client, subject, audience, resource, scope=None):
    """Leg 1: ID token for ID-JAG, credentials of the issuer's client in the body."""
    form = {
        "grant_type": GRANT_EXCHANGE,
        "requested_token_type": TYPE_ID_JAG,
        "subject_token": subject,
        "subject_token_type": TYPE_ID_TOKEN,
        "audience": audience,
        "client_id": client["idp"]["client_id"],
        "client_secret": client["idp"]["client_secret"],
    }
    if resource:
        form["resource"] = resource
    if scope:
        form["scope"] = scope
    response = httpx.post(facts["issuer"]["token_endpoint"], data=form)
    if response.status_code != 200:
        fail("leg 1, token exchange", f"HTTP {response.status_code} {response.text[:200]}")
    return response.json()["access_token"]


def scope_text(scopes):
    names = [s if isinstance(s, str) else s["name"] for s in scopes or []]
    return " ".join(names) or None


def sample_arguments(schema):
    """Arguments that fit a tool's input schema, so that any sample tool can be called."""
    properties = (schema or {}).get("properties", {})
    return {name: _sample(properties.get(name, {})) for name in (schema or {}).get("required", [])}


def _sample(schema):
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    if kind == "array":
        return [_sample(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    if kind == "object":
        return sample_arguments(schema)
    return "sample".ljust(schema.get("minLength", 0), "x")
