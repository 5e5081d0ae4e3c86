"""Make the development PKI: ``python certs/make_dev_pki.py --out certs/dev``. Nothing of it is for production.

With ``--no-bad`` it leaves out the certificates that must be refused. What is written where:
``adapters/simulators/pki.py``.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.simulators.parties import DEMO
from adapters.simulators.pki import make
from gateway.model.instant import from_seconds


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make the development PKI.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "dev", help="a folder without keys yet")
    parser.add_argument("--days", type=int, default=90, help="validity of certificates and trust list")
    parser.add_argument("--no-bad", action="store_true", help="without the certificates that must be refused")
    arguments = parser.parse_args()
    try:
        pki = make(arguments.out, DEMO, now=from_seconds(time.time()), days=arguments.days, bad=not arguments.no_bad)
    except FileExistsError as error:
        sys.exit(f"{error.filename} is there already; choose another folder with --out, or remove this one")
    print(f"{len(pki.identities)} subsystems, trust list {pki.trust_list}, root {pki.root}")


if __name__ == "__main__":
    main()
