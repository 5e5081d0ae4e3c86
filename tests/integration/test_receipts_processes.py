"""A gateway of several processes: a receipt is whole whichever of them is asked."""

import psutil

from gateway.client import Call
from tests.support.exchanges import STATED, connect
from tests.support.gateways import ECHO
from tests.support.served import outside, serving


def test_any_process_opens_what_another_has_recorded(tmp_path):
    with outside(tmp_path, workers=2) as world, serving(world.site) as process:
        process.until("serving")  # the second one too

        async def call():
            async with connect(world.site, logs=[world.site.pki.log_vkey]) as client:
                answer = await client.send(Call(service=ECHO, purpose=STATED, body={"a": 1}))
            async with connect(world.site, logs=[world.site.pki.log_vkey]) as client:  # another connection
                return await client.receipt(answer)

        proved = [world.run(call()) for _ in range(8)]
        workers = psutil.Process(process.pid).children()
        process.kill()
        _, left = psutil.wait_procs(workers, timeout=15)
    assert (len(workers), left) == (2, [])  # nobody serves on when what started them is gone
    assert [exchange.unopened for exchange in proved] == [()] * len(proved)
