# The sidecar, the worker and the trainer: one image, three commands. Build it from the top of a checkout:
#
#   deploy/containers/build.sh
#
# ACCELERATOR=cuda takes PyTorch's build for NVIDIA GPUs (gigabytes). MODELS are pulled into the image; those that a
# model hub serves are better pulled into a volume at /var/lib/pgduet/models.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS base
RUN useradd --uid 998 --no-user-group --create-home --home-dir /var/lib/pgduet pgduet \
    && groupadd --gid 999 postgres && usermod --gid postgres pgduet \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade -y \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 libgomp1 \
    && rm -rf /var/lib/apt/lists/* /var/log/apt

FROM base AS python
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /build && python3 -m venv /opt/pgduet
ARG ACCELERATOR=cpu
# Alone and first: it is most of the image, and a newer one might be drawn in by what depends on it.
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=pip_conf --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/containers/lent.sh,target=/lent.sh \
    --mount=type=bind,source=deploy/containers/wheels,target=/wheels \
    /lent.sh /opt/pgduet/bin/pip install --quiet --find-links /wheels torch==2.13.0 \
    && found=$(/opt/pgduet/bin/python -c 'import torch; print("cuda" if torch.version.cuda else "cpu")') \
    && if [ "$found" != "$ACCELERATOR" ]; then \
        echo "error: ACCELERATOR=$ACCELERATOR, but pip found PyTorch for $found" >&2; \
        echo "hint: name PyTorch's index of that kind in the pip configuration of the build (docs/containers.md)" >&2; \
        exit 1; fi
ARG EXTRAS="sidecar db cli train otel openvino"
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=pip_conf --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/containers/lent.sh,target=/deploy/lent.sh \
    --mount=type=bind,source=deploy/containers/requirements.py,target=/deploy/requirements.py \
    --mount=type=bind,source=pyproject.toml,target=/src/pyproject.toml \
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    /deploy/lent.sh /build/bin/pip install --quiet -c /src/constraints.txt hatchling \
    && /opt/pgduet/bin/python /deploy/requirements.py /src/pyproject.toml $EXTRAS >/tmp/requirements.txt \
    && /deploy/lent.sh /opt/pgduet/bin/pip install --quiet -c /src/constraints.txt -r /tmp/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY proto /src/proto
COPY plpython /src/plpython
COPY sidecar /src/sidecar
COPY migrations /src/migrations
COPY sql /src/sql
RUN cd /src && /build/bin/python -m hatchling build -t wheel -d /wheel \
    && /opt/pgduet/bin/pip install --quiet --no-deps --no-index /wheel/*.whl

FROM python AS models
ARG MODELS=small
ENV PGDUET_MODELS_DIR=/var/lib/pgduet/models XDG_CACHE_HOME=/var/cache/pgduet
# Loaded once: the graphs that OpenVINO runs are then in the image, which nobody writes to later.
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=pip_conf --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=deploy/containers/lent.sh,target=/lent.sh \
    mkdir -p "$PGDUET_MODELS_DIR" "$XDG_CACHE_HOME" && for model in $MODELS; do \
        /lent.sh /opt/pgduet/bin/pgduet models pull "$model" && /opt/pgduet/bin/pgduet models verify "$model" \
        && /opt/pgduet/bin/pgduet models probe "$model" >/dev/null || exit 1; done

FROM base
COPY --from=python /opt/pgduet /opt/pgduet
COPY --from=models /var/lib/pgduet/models /var/lib/pgduet/models
COPY --from=models /var/cache/pgduet /var/cache/pgduet
COPY deploy/containers/healthy.py /opt/pgduet/healthy.py
RUN install -d -o pgduet -g postgres -m 0750 /run/pgduet
ENV PATH=/opt/pgduet/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 \
    XDG_CACHE_HOME=/var/cache/pgduet \
    PGDUET_MODELS_DIR=/var/lib/pgduet/models \
    PGDUET_LISTEN=unix:/run/pgduet/sidecar.sock \
    PGDUET_SIDECAR=unix:/run/pgduet/sidecar.sock \
    PGDUET_LOG_FORMAT=json
USER 998:999
EXPOSE 50517
HEALTHCHECK --interval=10s --timeout=10s --start-period=180s --retries=3 CMD ["python", "/opt/pgduet/healthy.py"]
ENTRYPOINT ["pgduet"]
CMD ["serve"]
