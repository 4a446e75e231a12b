# PostgreSQL with PL/Python, pgvector and pgduet. Build it from the top of a checkout, with BuildKit:
#
#   deploy/containers/build.sh
#
# PostgreSQL, PL/Python and Python are the distribution's; pgvector is built by deploy/setup.sh from a pinned source
# where the distribution's has known bugs. Nothing of the builder's machine stays in a layer.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS server
ARG POSTGRES=17
ENV PG_MAJOR=${POSTGRES}
# The same numbers in all images: the sidecar's socket belongs to the group, and `peer` looks the worker's user up.
RUN groupadd --gid 999 postgres \
    && useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql postgres \
    && useradd --uid 998 --gid postgres --home-dir /var/lib/pgduet pgduet \
    && mkdir /etc/postgresql-common && echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade -y \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        "postgresql-${PG_MAJOR}" "postgresql-plpython3-${PG_MAJOR}" python3 \
    && rm -rf /var/lib/apt/lists/* /etc/postgresql /var/log/apt /var/log/postgresql

FROM server AS pgvector
COPY deploy/setup.sh /src/deploy/setup.sh
# The packaged version is taken where it is new enough; either way the files end in /pgvector.
RUN apt-get update && /src/deploy/setup.sh server \
    && mkdir -p "/pgvector/usr/lib/postgresql/${PG_MAJOR}/lib" "/pgvector/usr/share/postgresql/${PG_MAJOR}/extension" \
    && cp "/usr/lib/postgresql/${PG_MAJOR}/lib/vector.so" "/pgvector/usr/lib/postgresql/${PG_MAJOR}/lib/" \
    && cp "/usr/share/postgresql/${PG_MAJOR}/extension/vector"* "/pgvector/usr/share/postgresql/${PG_MAJOR}/extension/"

FROM server AS python
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /build && python3 -m venv /opt/pgduet
# The server's own Python gets the base alone, the command line beside it what `pgduet db` needs.
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=pip_conf --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/containers/lent.sh,target=/deploy/lent.sh \
    --mount=type=bind,source=deploy/containers/requirements.py,target=/deploy/requirements.py \
    --mount=type=bind,source=pyproject.toml,target=/src/pyproject.toml \
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    pip="/deploy/lent.sh /build/bin/python -m pip --quiet --disable-pip-version-check" \
    && $pip install -c /src/constraints.txt hatchling \
    && /build/bin/python /deploy/requirements.py /src/pyproject.toml >/tmp/base.txt \
    && $pip install -c /src/constraints.txt --target /opt/pgduet/server -r /tmp/base.txt \
    && /build/bin/python /deploy/requirements.py /src/pyproject.toml db cli >/tmp/cli.txt \
    && $pip --python /opt/pgduet/bin/python install -c /src/constraints.txt -r /tmp/cli.txt
COPY pyproject.toml README.md LICENSE /src/
COPY proto /src/proto
COPY plpython /src/plpython
COPY sidecar /src/sidecar
COPY migrations /src/migrations
COPY sql /src/sql
RUN cd /src && /build/bin/python -m hatchling build -t wheel -d /wheel \
    && /build/bin/python -m pip install --quiet --no-deps --no-index --target /opt/pgduet/server /wheel/*.whl \
    && /build/bin/python -m pip --python /opt/pgduet/bin/python install --quiet --no-deps --no-index /wheel/*.whl \
    && rm -rf /opt/pgduet/server/bin /opt/pgduet/lib/python3*/site-packages/pip*

FROM server AS database
COPY --from=pgvector /pgvector/ /
COPY --from=python /opt/pgduet /opt/pgduet
COPY deploy/containers/database.sh /usr/local/bin/pgduet-database
RUN install -d -o postgres -g postgres -m 0750 /var/lib/postgresql \
    && install -d -o postgres -g postgres -m 0770 /run/postgresql \
    && install -d -o pgduet -g postgres -m 0750 /run/pgduet
ENV PATH=/opt/pgduet/bin:/usr/lib/postgresql/${PG_MAJOR}/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONPATH=/opt/pgduet/server \
    PYTHONDONTWRITEBYTECODE=1 \
    PGDATA=/var/lib/postgresql/${PG_MAJOR}/main
USER 999:999
VOLUME /var/lib/postgresql
EXPOSE 5432
# PostgreSQL's fast shutdown: sessions are ended, nothing is lost.
STOPSIGNAL SIGINT
# Over TCP: while the cluster is being set up there is only a socket.
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s --retries=6 CMD pg_isready -q -h 127.0.0.1
ENTRYPOINT ["pgduet-database"]
CMD ["postgres"]

# The repository's own tests against this server: `make test-containers`.
FROM database AS test
ARG PYTHON=python3
ARG PYTHON_SUITE=
USER 0:0
# First of all: pip would take what the server's Python has for installed.
ENV PYTHONPATH= PGDATA=
RUN if [ -n "${PYTHON_SUITE}" ]; then \
        sed "s/ [a-z]* main/ ${PYTHON_SUITE} main/" /etc/apt/sources.list >/etc/apt/sources.list.d/python.list; fi \
    && apt-get update && apt-get install -y --no-install-recommends \
        "${PYTHON}" python3-venv pgbouncer chromium-headless-shell curl git jq openssl procps \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=pip_conf --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/containers/lent.sh,target=/deploy/lent.sh \
    --mount=type=bind,source=deploy/containers/wheels,target=/deploy/wheels \
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    python3 -m venv /build && "${PYTHON}" -m venv --without-pip /venv \
    && /deploy/lent.sh /build/bin/pip --python /venv/bin/python install --quiet pip \
    && /deploy/lent.sh /venv/bin/python -m pip install --quiet --find-links /deploy/wheels \
        -c /src/constraints.txt torch==2.13.0
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=pip_conf --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/containers/lent.sh,target=/deploy/lent.sh \
    --mount=type=bind,source=deploy/containers/requirements.py,target=/deploy/requirements.py \
    --mount=type=bind,source=pyproject.toml,target=/src/pyproject.toml \
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    /venv/bin/python /deploy/requirements.py /src/pyproject.toml dev >/tmp/test.txt \
    && /deploy/lent.sh /venv/bin/python -m pip install --quiet -c /src/constraints.txt -r /tmp/test.txt
ENTRYPOINT []
