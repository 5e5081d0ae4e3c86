"""A gateway of several processes: a receipt is whole whichever of them is asked."""

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
    assert [exchange.unopened for exchange in proved] == [()] * len(proved)
