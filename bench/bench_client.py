"""CPU per request and response of 1 KB on loopback: our client beside aiohttp's, same server and loop, in turns.

Run: ``python bench/bench_client.py [requests] [concurrency]``. The server is another process: only ours is counted.
"""

import asyncio
import multiprocessing
import socket
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
import uvloop

from adapters.rest.http1 import Client, ClientOptions, split_url
from gateway.model.message import Body

BODY = b'{"identity_number":"001190000001","padding":"' + b"x" * 976 + b'"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Correlation-Id: 1234567890\r\n"
    b"Date: Sun, 22 Nov 2026 03:00:00 GMT\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)
FIELDS = (
    ("Content-Type", "application/json"),
    ("X-Road-Client", "VN/GOV/H31/portal"),
    ("X-Road-Id", "0197a1c2-0000-7000-8000-000000000000"),
    ("Motlan-Purpose", '"1.001193";basis="ND-63/2024"'),
    ("Signature-Input", "gw=" + "s" * 300),
    ("Signature", "gw=:" + "s" * 88 + ":"),
)


class _Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.seen = b""

    def data_received(self, data):
        self.seen += data
        end = self.seen.find(b"\r\n\r\n")
        if end >= 0 and len(self.seen) >= end + 4 + len(BODY):
            self.seen = b""
            self.transport.write(ANSWER)


def serve(sock):
    async def main():
        server = await asyncio.get_running_loop().create_server(_Server, sock=sock)
        await server.serve_forever()

    uvloop.run(main())


async def measure(call: Callable[[], Awaitable[None]], requests: int, concurrency: int) -> tuple[float, float]:
    """(CPU microseconds per request, requests per second)."""

    async def worker(count: int) -> None:
        for _ in range(count):
            await call()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[worker(requests // concurrency) for _ in range(concurrency)])
    return (time.process_time() - cpu) / requests * 1e6, requests / (time.perf_counter() - wall)


async def run(port: int, requests: int, concurrency: int) -> None:
    url = f"http://127.0.0.1:{port}"
    origin, _ = split_url(url)
    lean = Client(ClientOptions(connections=concurrency))
    body = Body(BODY)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=concurrency), auto_decompress=False
    ) as session:

        async def ours() -> None:
            answer = await lean.request("POST", origin, "/x", FIELDS, body, deadline=time.monotonic() + 30)
            assert answer.body.size == len(BODY)

        async def theirs() -> None:
            async with session.post(url + "/x", data=BODY, headers=FIELDS, allow_redirects=False) as answer:
                assert len(await answer.read()) == len(BODY)

        await measure(ours, requests // 10, concurrency)
        await measure(theirs, requests // 10, concurrency)
        best = {"motlan": (1e9, 0.0), "aiohttp": (1e9, 0.0)}
        for _ in range(3):
            best["motlan"] = min(best["motlan"], await measure(ours, requests, concurrency))
            best["aiohttp"] = min(best["aiohttp"], await measure(theirs, requests, concurrency))
    await lean.close()
    print(f"{'client':10} {'CPU µs/request':>15} {'requests/s':>12}   ({concurrency} connections, best of 3)")
    for name, (cpu, rate) in best.items():
        print(f"{name:10} {cpu:15.1f} {rate:12.0f}")
    print(f"ratio      {best['motlan'][0] / best['aiohttp'][0]:15.2f}")


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    concurrency = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    with socket.create_server(("127.0.0.1", 0)) as sock:
        server = multiprocessing.get_context("fork").Process(target=serve, args=(sock,), daemon=True)
        server.start()
        try:
            uvloop.run(run(sock.getsockname()[1], requests, concurrency))
        finally:
            server.terminate()
            server.join()


if __name__ == "__main__":
    main()
