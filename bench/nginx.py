"""nginx with proxy_pass, where it is installed: what a proxy written in C does on the same core."""

import shutil
from pathlib import Path

CONFIG = """
worker_processes {workers}; daemon off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 10000000; client_max_body_size 1g;
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 128; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port} reuseport;
    location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def command(folder: Path, *, port: int, backend: int, workers: int = 1) -> list[str] | None:
    """The command that serves on ``port``; None where there is no nginx."""
    program = shutil.which("nginx")
    if program is None:
        return None
    path = folder / f"nginx-{port}.conf"
    path.write_text(CONFIG.format(folder=folder, port=port, backend=backend, workers=workers))
    return [program, "-c", str(path), "-e", "stderr"]
