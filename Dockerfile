# fairaudit on CPUs: `docker run IMAGE` runs the demo, `docker run IMAGE audit MODEL ...` any verb.
FROM python:3.12-slim
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 FAIRAUDIT_CACHE=/cache
WORKDIR /opt/fairaudit
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY fairaudit ./fairaudit
# Torch first. Name the index of PyTorch's CPU builds (--build-arg TORCH_INDEX=URL) where the default
# one has builds with CUDA: they bring gigabytes.
ARG TORCH_INDEX=
RUN pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} -c constraints.txt torch \
 && pip install -c constraints.txt . \
 && useradd --create-home auditor && mkdir /work /cache && chown auditor /work /cache
USER auditor
WORKDIR /work
ENTRYPOINT ["fairaudit"]
CMD ["demo", "--output", "demo"]
