"""Writes common-passwords.bin anew from a list with one password a line.

    python3 common-passwords.py LIST.txt

The list is the one of Django (django/contrib/auth/common-passwords.txt.gz, unpacked); see common-passwords.LICENSE.
Each entry is the first four bytes of the SHA-256 of the password in lower case; entries are sorted and unique.
"""

import hashlib
import pathlib
import sys

lines = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").split("\n")
words = {line.strip().lower() for line in lines} - {""}
entries = sorted({hashlib.sha256(word.encode()).digest()[:4] for word in words})
target = pathlib.Path(__file__).with_name("common-passwords.bin")
target.write_bytes(b"".join(entries))
print(f"{len(entries)} entries")
