"""The few calls of the lab's admin API that the Python drivers need."""

import httpx

from lib.report import fail


class Admin:
    """Talks to `admin.url` of the facts file with its token; takes back what it made when left."""

    def __init__(self, facts):
        self._http = httpx.Client(
            base_url=facts["admin"]["url"].rstrip("/"),
            headers={"authorization": f"Bearer {facts['admin']['token']}"},
        )
        self._made = []

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        for path in reversed(self._made):
            self._http.delete(path)
        self._http.close()

    def _create(self, path, body):
        response = self._http.post(path, json=body)
        if response.status_code not in (200, 201):
            fail(f"admin API, POST {path}", f"HTTP {response.status_code} {response.text[:200]}")
        return response.json()

    def register_foreign_ras(self, *, name, issuer, resource, scopes, client, client_id_there, groups):
        """Makes `issuer` an audience this lab's issuer may mint ID-JAGs for.

        One connector with that audience and resource, the client's id at the foreign server, and a
        rule that allows the groups.
        """
        raise NotImplementedError
