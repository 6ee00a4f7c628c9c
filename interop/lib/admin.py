"""The few calls of the lab's admin API that the Python drivers need."""

import httpx

from lib.report import fail


class Admin:
    """Talks to `admin.url` of the facts file with its token; takes back what it made when left."""

    def __init__(self, facts):
        base = facts["admin"]["url"].rstrip("/").removesuffix("/admin/v1")
        self._http = httpx.Client(
            base_url=base + "/admin/v1",
            headers={"authorization": f"Bearer {facts['admin']['token']}"},
        )
        self._made = []

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        for path, query in reversed(self._made):
            self._http.delete(path, params=query)
        self._http.close()

    def _send(self, method, path, body):
        response = self._http.request(method, path, json=body)
        if not response.is_success:
            fail(f"admin API, {method} {path}", f"HTTP {response.status_code} {response.text[:300]}")
        return response.json()

    def _put(self, path, body):
        return self._send("PUT", path, body)

    def make_directory(self, name):
        """Makes a provisioning client (SCIM); hands back a token of it."""
        self._put("/directories", {"name": name, "strict_paths": True})
        self._made.append((f"/directories/{name}", None))
        return self._send("POST", f"/directories/{name}/tokens", {"name": "interop", "expires_at": None})["token"]

    def register_foreign_ras(self, *, name, issuer, resource, scopes, client, client_id_there, groups):
        """Makes `issuer` an audience the lab's issuer may mint ID-JAGs for.

        One audience with the client's id there, one connector with that audience and resource, and
        one rule that lets the groups reach it.
        """
        self._put("/audiences", {"issuer": issuer, "clients": {client["idp"]["client_id"]: client_id_there}})
        self._made.append(("/audiences", {"issuer": issuer}))
        self._put(
            f"/connectors/{name}",
            {
                "name": name,
                "mcp_url": resource,
                "resource": resource,
                "audience": issuer,
                "scopes": [{"scope": scope} for scope in scopes],
            },
        )
        self._made.append((f"/connectors/{name}", None))
        rule = {"title": f"Interop: {name}", "groups": groups, "clients": "all", "connectors": [name], "scopes": "all"}
        written = self._put("/rules", rule)
        record = written.get("record", written)
        self._made.append((f"/rules/{record['id']}", None))
