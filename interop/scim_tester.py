"""PyPI scim2-tester against the lab's SCIM server: everything it knows of RFC 7643 and RFC 7644, for people and groups.

A finding that breaks a MUST fails the driver, and so does one that departs from a SHOULD unless it is listed here with
its reason. What could not be checked is named."""

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from lib import lab
from lib.admin import Admin
from lib.report import check, fail, main, ok

NAME = "scim-tester"
GOOD = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)
#: title of a check -> why the server departs from what it asks for.
DEVIATIONS = {}


def body():
    facts = lab.load_facts()
    with Admin(facts) as admin:
        token = admin.make_directory(NAME)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/scim+json"}
        base = facts["issuer"]["url"].rstrip("/") + "/scim/v2"
        with httpx2.Client(base_url=base, headers=headers, timeout=30) as http:
            results = check_server(SyncSCIMClient(http))
    passed, skipped, wrong = 0, [], []
    for result in results:
        if result.status in GOOD:
            passed += 1
        elif result.status is Status.SKIPPED:
            skipped.append(f"{result.title} {result.reason or ''}".strip())
        elif result.status is not Status.DEVIATION or result.title not in DEVIATIONS:
            wrong.append(f"{result.status.name} {result.title} ({result.resource_type or '-'}): {result.reason}")
    for text in wrong:
        print(f"     {text}", flush=True)
    check(passed > 50, f"{passed} checks of scim2-tester pass", f"only {passed} ran")
    if skipped:
        ok(f"{len(skipped)} were skipped", "; ".join(sorted(set(skipped)))[:400])
    if wrong:
        fail("scim2-tester", f"{len(wrong)} findings")
    ok("none fails")


main("scim_tester", body)
