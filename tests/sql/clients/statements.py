#!/usr/bin/env python3
"""The SQL of a README, a statement a line: whatever stands in its sql blocks but for commands of
the shell and comments.

usage: statements.py README.md"""
import re
import sys

text = open(sys.argv[1]).read()
sql = "\n".join(re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
lines = [re.sub(r"\s*--.*", "", line) for line in sql.split("\n") if not line.startswith(".")]
for statement in "\n".join(lines).split(";"):
    if statement.strip():
        print(" ".join(statement.split()) + ";")
