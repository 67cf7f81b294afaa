"""What tests in Python share: what is wrong is told, and counted until the end."""
import subprocess
import sys

failures = 0


def check(what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print(f"FAILED: {what}: {str(got)[:300]} instead of {str(wanted)[:300]}")


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def end():
    print("failed" if failures else "passed", failures)
    sys.exit(failures > 0)
