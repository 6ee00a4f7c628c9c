"""PyPI mcp as a foreign Enterprise-Managed Authorization client: IdentityAssertionOAuthProvider does
leg 2 (it has no leg 1, which is a plain form post here) and calls a tool on both wires."""

import asyncio
import os

from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from lib import lab
from lib.report import check, equal, main, ok, refused

WIRES = {"2025-11-25": "legacy", "2026-07-28": "2026-07-28"}


class Storage:
    """Keeps the tokens of one run in memory."""

    def __init__(self):
        self.tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return None

    async def set_client_info(self, client_info):
        pass


async def list_and_call(facts, client, connector, id_jag, mode, method, known):
    """Connects, lists, calls the first tool both sides know; hands back what happened."""
    storage = Storage()
    asked = []

    async def assertion(audience, resource):
        asked.append((audience, resource))
        return await id_jag(audience, resource)

    auth = IdentityAssertionOAuthProvider(
        server_url=connector["mcp_url"],
        storage=storage,
        client_id=client["ras"]["client_id"],
        client_secret=client["ras"]["client_secret"],
        issuer=facts["ras"]["url"],
        assertion_provider=assertion,
        token_endpoint_auth_method=method,
    )
    async with create_mcp_http_client(auth=auth) as http:
        transport = streamable_http_client(connector["mcp_url"], http_client=http)
        async with Client(transport, mode=mode) as mcp:
            tools = (await mcp.list_tools()).tools
            tool = next((t for t in tools if t.name in known), None)
            if tool is None:
                raise RuntimeError(f"none of {known} in {[t.name for t in tools]}")
            result = await mcp.call_tool(tool.name, lab.sample_arguments(tool.input_schema))
            return tool.name, result, storage.tokens, asked


async def run():
    facts = lab.load_facts()
    connector = lab.pick_connector(facts, os.environ.get("LANYARD_CONNECTOR"))
    user = lab.pick_user(facts, connector)
    client = lab.pick_secret_client(facts)
    subject = lab.id_token(facts, user, client)
    ok("ID token of the lab", f"{user['username']} by {client['name']}")
    known = [t["name"] for t in connector["tools"]]

    async def fresh(audience, resource):
        return lab.exchange(facts, client, subject, audience, resource, lab.scope_text(connector["scopes"]))

    for wire, mode in WIRES.items():
        for method in ("client_secret_post", "client_secret_basic"):
            label = f"{wire}, {method}"
            name, result, tokens, asked = await list_and_call(
                facts, client, connector, fresh, mode, method, known
            )
            check(not result.is_error and result.content, f"{label}: {name} answers", repr(result))
            equal(asked[0], (facts["ras"]["url"], connector["resource"]), f"{label}: audience and resource")
            equal(len(asked), 1, f"{label}: one ID-JAG was enough")
            check(tokens.refresh_token is None, f"{label}: no refresh token came back", "one did")

    used = lab.exchange(
        facts, client, subject, facts["ras"]["url"], connector["resource"], lab.scope_text(connector["scopes"])
    )

    async def again(_audience, _resource):
        return used

    await list_and_call(facts, client, connector, again, "legacy", "client_secret_post", known)
    ok("one ID-JAG is redeemed once")
    await refused(
        "the same ID-JAG is refused the second time",
        list_and_call(facts, client, connector, again, "legacy", "client_secret_post", known),
    )

    async def no_jag(_audience, _resource):
        return subject

    await refused(
        "an ID token is refused as an assertion",
        list_and_call(facts, client, connector, no_jag, "legacy", "client_secret_post", known),
    )


if __name__ == "__main__":
    main("py_client", lambda: asyncio.run(run()))
