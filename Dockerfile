# The tag, not a digest: pin one here once it can be looked up (docker buildx imagetools inspect python:3.11-slim-bookworm).
FROM python:3.11-slim-bookworm

# git follows Debian's security updates; a pinned version would vanish from the mirrors with the next one.
# The workspace belongs to the runner's user, which git refuses without safe.directory.
# hadolint ignore=DL3008
RUN apt-get -o Acquire::Retries=3 -o Acquire::http::Timeout=20 update \
    && apt-get -o Acquire::Retries=3 -o Acquire::http::Timeout=20 install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'

COPY requirements.lock /opt/lockgate/
RUN pip install --no-cache-dir --require-hashes -r /opt/lockgate/requirements.lock

COPY gate/ /opt/lockgate/gate/
# Readable for everybody, because code of a pull request runs as nobody.
RUN python -c "import pathlib, sysconfig; pathlib.Path(sysconfig.get_path('purelib'), 'lockgate.pth').write_text('/opt/lockgate\n')" \
    && python -m compileall -q /opt/lockgate/gate \
    && chmod -R a+rX /opt/lockgate

# Root, because the runner's command files belong to another user. -I keeps the workspace, which is a pull request's, and
# the job's PYTHON* variables out of the import path.
ENTRYPOINT ["/usr/local/bin/python", "-I", "-u", "-m", "gate"]
