"""`pgduet serve`: the sidecar."""

import os
import sys
import threading
from typing import Annotated

import typer

EPILOG = """
Examples:

    pgduet serve

    pgduet serve --listen unix:/run/pgduet/sidecar.sock --listen 127.0.0.1:50517

    pgduet serve --model small --model small-ft

    pgduet serve --metrics-address 127.0.0.1:9464

    pgduet serve --listen 10.0.0.5:50517 --tls-certificate-file s.pem --tls-key-file s.key --token-file tokens

Environment (options win): PGDUET_MODEL (names separated by commas), PGDUET_MAX_MODELS (3; so many may be in memory,
those that `pgduet models load` adds too), PGDUET_LISTEN (addresses separated by commas), PGDUET_MODELS_DIR,
PGDUET_ENGINE (auto, openvino, torch), PGDUET_DEVICE (auto, cpu, cuda, cuda:N), PGDUET_THREADS, PGDUET_SOCKET_MODE
(octal, 0660), PGDUET_SOCKET_GROUP, PGDUET_MAX_TEXTS (256), PGDUET_MAX_CHARACTERS (2000000 per text),
PGDUET_BATCH_TOKENS (1024), PGDUET_BULK_TOKENS (4096), PGDUET_QUEUE_TOKENS (262144), PGDUET_CACHE_BYTES (67108864),
PGDUET_GRACE_SECONDS (10),
PGDUET_METRICS_ADDRESS (HOST:PORT; nowhere by default), PGDUET_LOG_FORMAT (auto, json, console), PGDUET_LOG_LEVEL
(debug, info, warning, error), PGDUET_KEEP_QUERIES (0 to 10000; vectors of so many last queries are kept in memory,
never their texts, and the index is measured with them; 0, the default, keeps none), PGDUET_TLS_CERTIFICATE_FILE,
PGDUET_TLS_KEY_FILE, PGDUET_TLS_CLIENT_CA_FILE, PGDUET_TOKEN_FILE, PGDUET_INSECURE (false; docs/security.md says when).
OTEL_EXPORTER_OTLP_ENDPOINT with the extra `otel` sends a span of each call; all OTEL_* variables hold.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EPILOG)(serve)


def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(help="Name of a duet to serve; may be given several times.", show_default="small"),
    ] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="unix:/path/to/socket or host:port; may be given several times.",
            show_default="127.0.0.1:50517",
        ),
    ] = None,
    metrics_address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Answer Prometheus there, such as 127.0.0.1:9464.")
    ] = None,
    tls_certificate_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Certificate for TLS on TCP, with those that lead to its authority."),
    ] = None,
    tls_key_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Its key, readable for its owner only.")
    ] = None,
    tls_client_ca_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Authorities that sign callers' certificates: each must show one."),
    ] = None,
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Tokens, one a line: each call must bear one of them.")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Let other machines in without TLS and token.")] = False,
) -> None:
    """Serve one duet or several over gRPC until SIGTERM or Ctrl-C.

    Listens at once with health NOT_SERVING, loads the models, compares each with its reference vectors, then turns
    health to SERVING. Stops with status 0 after the calls in flight, with 1 when a model cannot be loaded or fails.
    `pgduet models load` serves one more while it runs.
    """
    import asyncio

    from pgduet.serving.engine import ENGINE_THREADS
    from pgduet.serving.logs import configure_logs
    from pgduet.serving.server import serve as run_server
    from pgduet.serving.settings import read_settings

    settings = read_settings(
        model=",".join(model) if model else None,
        listen=tuple(listen) if listen else None,
        metrics_address=metrics_address,
        tls_certificate_file=tls_certificate_file,
        tls_key_file=tls_key_file,
        tls_client_ca_file=tls_client_ca_file,
        token_file=token_file,
        insecure=insecure or None,
    )
    configure_logs(settings)
    status = asyncio.run(run_server(settings))
    if any(thread.name.startswith(ENGINE_THREADS) for thread in threading.enumerate()):
        # Told to stop while a thread loads or computes: nothing can interrupt that, and nobody waits for it.
        sys.stderr.flush()
        os._exit(status)
    raise typer.Exit(status)
