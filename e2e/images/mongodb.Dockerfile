# A server that speaks MongoDB's protocol, with mongodump and mongorestore beside it, as images of MongoDB have them.
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "/bin"]
RUN mkdir -m 1777 /tmp /data
COPY mongoserver mongodump mongorestore /bin/
CMD ["/bin/mongoserver", "127.0.0.1:27017", "/data"]
