# SPDX-License-Identifier: MIT
"""Run the tests of a file: all of them, or the one that the second argument names."""
import sys


def main(tests):
    """Prints a line for each and ends the program: status 1 if one failed."""
    failed = 0
    for test in tests:
        if len(sys.argv) > 2 and sys.argv[2] != test.__name__:
            continue
        try:
            test()
            print("ok", test.__name__, flush=True)
        except Exception as e:  # whatever it is, the test has failed
            print("FAILED", test.__name__, type(e).__name__, e, flush=True)
            failed += 1
    sys.exit(1 if failed else 0)
