# One image for crawler, worker and API; docker-compose.yml says which is which.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /opt/jaga

# The libraries first: they change less often than the code.
COPY requirements.txt .
RUN pip install --require-hashes --requirement requirements.txt

COPY pyproject.toml README.md ./
COPY api api
COPY classifier classifier
COPY crawlers crawlers
COPY demo demo
COPY pipeline pipeline
# Editable: the model and the pages are read from where they lie.
RUN pip install --no-deps --editable .

RUN useradd --system --create-home --home-dir /var/lib/jaga jaga && chown jaga:jaga /var/lib/jaga
USER jaga
ENV JAGA_HOME=/var/lib/jaga
VOLUME /var/lib/jaga
EXPOSE 8000

CMD ["jaga", "serve"]
