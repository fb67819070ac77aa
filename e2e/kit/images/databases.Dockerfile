# The databases of the recipes, of Debian. A container runs one of them; they are small, fast and not durable. Each has a
# database "shop" with the password that the build was given.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
ARG PASSWORD
# PostgreSQL's own programs before Debian's wrappers of them, which are slower.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
RUN set -eu; \
    export DEBIAN_FRONTEND=noninteractive; \
    install -d /etc/postgresql-common; \
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf; \
    apt-get update; \
    apt-get install -y --no-install-recommends \
      -o DPkg::Options::=--path-exclude=/usr/lib/*/libLLVM* \
      -o DPkg::Options::=--path-exclude=/usr/lib/*/libz3* \
      -o DPkg::Options::=--path-exclude=/usr/lib/postgresql/*/bitcode/* \
      -o DPkg::Options::=--path-exclude=/usr/share/doc/* \
      -o DPkg::Options::=--path-exclude=/usr/share/i18n/* \
      -o DPkg::Options::=--path-exclude=/usr/share/locale/* \
      -o DPkg::Options::=--path-exclude=/usr/share/man/* \
      mariadb-client mariadb-server-core postgresql-15 redis-server sqlite3; \
    apt-get clean; \
    rm -rf /var/lib/apt/lists/*
RUN set -eu; \
    export PGDATA=/var/lib/postgresql/data; \
    as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }; \
    install -d -o postgres -g postgres /run/postgresql; \
    echo "$PASSWORD" >/password; \
    as_postgres initdb --no-sync --wal-segsize=1 --username=shop --auth=scram-sha-256 --pwfile=/password; \
    rm /password; \
    printf '%s\n' 'fsync = off' 'jit = off' "listen_addresses = ''" 'max_wal_size = 64MB' 'shared_buffers = 16MB' \
      >>"$PGDATA/postgresql.conf"; \
    echo 'CREATE DATABASE shop' | as_postgres postgres --single postgres
RUN set -eu; \
    useradd --system mysql; \
    install -d -o mysql -g mysql /var/lib/mysql /run/mysqld; \
    printf '%s\n' '[mariadbd]' user=mysql skip-networking innodb_buffer_pool_size=16M innodb_log_file_size=4M \
      innodb_flush_method=nosync innodb_flush_log_at_trx_commit=0 >/etc/mysql/mariadb.conf.d/small.cnf; \
    mariadb-install-db --user=mysql --auth-root-authentication-method=normal --skip-test-db; \
    printf '%s;\n' 'FLUSH PRIVILEGES' "SET PASSWORD FOR root@localhost = PASSWORD('$PASSWORD')" 'CREATE DATABASE shop' \
      | mariadbd --bootstrap
# Pods of the kit's cluster share the host's ports, so this one listens on none.
RUN printf '#!/bin/sh\nexec /usr/bin/redis-cli -s /run/redis.sock "$@"\n' >/usr/local/bin/redis-cli; \
    chmod +x /usr/local/bin/redis-cli
