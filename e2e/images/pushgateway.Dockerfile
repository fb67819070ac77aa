# Prometheus' Pushgateway as its own image has it, with Debian's program: at /bin/pushgateway, and nobody's.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY prometheus-pushgateway /bin/pushgateway
USER 65534:65534
ENTRYPOINT ["/bin/pushgateway"]
