# The build stage has the tools; the image has Python, the locked dependencies and remediator.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/remediator
RUN pip --python /opt/remediator/bin/python install --no-cache-dir --require-hashes -r requirements.lock
RUN pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY remediator remediator
RUN pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir /wheels .
RUN pip --python /opt/remediator/bin/python install --no-cache-dir --no-index --no-deps --find-links /wheels remediator

FROM python:3.13-slim
COPY --from=build /opt/remediator /opt/remediator
# pip compiled the bytecode already, so nothing is ever written and the root file system may be read-only.
ENV PATH=/opt/remediator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
ENTRYPOINT ["remediator"]
CMD ["serve"]
