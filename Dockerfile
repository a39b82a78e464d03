# One image for every part of Skytrail: the command says which.

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE manage.py ./
COPY skytrail skytrail
COPY dags_app dags_app
COPY runs_app runs_app
COPY workers workers
RUN python -m venv /opt/skytrail \
 && /opt/skytrail/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home skytrail \
 && install -d -o skytrail -g skytrail -m 0700 /var/lib/skytrail/artifacts
COPY --from=build /opt/skytrail /opt/skytrail
WORKDIR /app
COPY manage.py ./
COPY deploy deploy
COPY examples examples
ENV PATH=/opt/skytrail/bin:$PATH PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=skytrail.settings
USER skytrail
EXPOSE 48080
CMD ["skytrail", "web", "--host=0.0.0.0", "--port=48080"]
