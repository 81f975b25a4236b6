# The app on a CPU. Only /data and /tmp are written to, so the container's own file system may be read-only:
#   docker build -t vocoder-lab . && docker run --read-only --tmpfs /tmp -v lab:/data -p 127.0.0.1:7860:7860 vocoder-lab
FROM python:3.11-slim-bookworm

# Packages first: a change of code does not install them again. The torch of PyPI brings CUDA along, gigabytes that a CPU
# never uses; pip prefers the version that ends in "+cpu", which only PyTorch's own index has.
COPY requirements.txt /app/requirements.txt
# Optional ones, such as those of deploy/servers/compose.yaml
ARG PACKAGES=""
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r /app/requirements.txt $PACKAGES

# A fixed number, so that the files in a volume keep their owner whatever image writes them.
RUN groupadd --gid 10001 lab \
    && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin lab \
    && install -d -o lab -g lab -m 0750 /data

WORKDIR /app
# Everything belongs to root and nobody may write it. Content that changes least comes first.
COPY --chmod=555 assets/ assets/
COPY --chmod=555 common/ common/
COPY --chmod=555 vocoders/ vocoders/
COPY --chmod=555 eval/ eval/
COPY --chmod=555 server/ server/
COPY --chmod=555 train/ train/
COPY --chmod=555 ui/ ui/
COPY --chmod=555 app.py app.py
RUN python -m compileall -q app.py common eval server train ui vocoders

# The volume caches, over a restart: compiled generators, compiled functions, the list of fonts.
# Gradio's uploads go below --data-dir by themselves. ONNX Runtime would report to its maker.
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=7860 \
    HOME=/tmp \
    TMPDIR=/tmp \
    XDG_CACHE_HOME=/data/cache \
    VOCODER_CACHE_DIR=/data/cache/vocoders \
    NUMBA_CACHE_DIR=/data/cache/numba \
    MPLCONFIGDIR=/data/cache/matplotlib \
    ORT_DISABLE_TELEMETRY=1

USER 10001:10001
VOLUME /data
EXPOSE 7860
# No curl in a slim image; and no proxy between a container and itself.
HEALTHCHECK --interval=30s --timeout=6s --start-period=90s --retries=3 CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=5)"]
# Not through a shell: SIGTERM reaches the app, which lets running requests finish.
CMD ["python", "app.py", "--host", "0.0.0.0", "--data-dir", "/data"]
