# docker build -t chat-gateway . && docker run --rm -p 8080:8080 -v chat-data:/data chat-gateway

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY protocol protocol
COPY service service
# The image's own pip fills the environment, which needs none afterwards.
RUN python -m venv --without-pip /opt/chat \
    && pip --python /opt/chat install --no-cache-dir --no-compile .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data chat \
    && install --directory --owner=chat --group=chat --mode=0700 /data
COPY --from=build /opt/chat /opt/chat
# In a container the published port decides who can connect, so it listens on all addresses.
ENV PATH=/opt/chat/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    CHAT_HOST=0.0.0.0 \
    CHAT_DATA_DIR=/data
USER chat
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/healthz' % (os.environ.get('CHAT_PORT') or 8080), timeout=2)"]
ENTRYPOINT ["chat-gateway"]
CMD ["serve"]
