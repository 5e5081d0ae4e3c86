"""What nothing can be faster than: the bare cryptography of an exchange, and the disk's fsync."""

import os
import platform
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key

from bench.processes import cores

BASE = b"x" * 900
"""As long as a signature base with the minimum cover."""


def crypto_seconds(rounds: int = 3000) -> float:
    """Seconds of one core for one exchange's operations: verify the caller, sign to the provider, sign the answer."""
    key = generate_private_key(SECP256R1())
    public, algorithm = key.public_key(), ECDSA(hashes.SHA256())
    signature = key.sign(BASE, algorithm)
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for _ in range(rounds // 3):
            public.verify(signature, BASE, algorithm)
            key.sign(BASE, algorithm)
            key.sign(BASE, algorithm)
        best = min(best, (time.process_time() - started) / (rounds // 3))
    return best


def fsyncs_per_second(folder: Path, seconds: float = 1.0) -> float:
    """How often per second the disk makes 4 KB durable."""
    path = folder / "fsync"
    count, end = 0, time.perf_counter() + seconds
    with path.open("wb", buffering=0) as file:
        while time.perf_counter() < end:
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            count += 1
    path.unlink()
    return count / seconds


def machine() -> str:
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return (
        f"{len(cores())} cores of {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
