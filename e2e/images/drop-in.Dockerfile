# The image for scripts that come from sidefridge, as apps/sidecar/Dockerfile.alpine makes it: root, and an apk that
# installs. Alpine can't be had by the tests, so its apk is a stand-in.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
USER 0
COPY apk /usr/local/bin/apk
