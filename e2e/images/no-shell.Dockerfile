# A container without a shell: one static program, which prints its arguments when it is told to (`busybox printf`).
FROM scratch
COPY busybox /bin/busybox
CMD ["/bin/busybox", "sleep", "infinity"]
