// The recipes of examples/recipes, in both forms, against the real databases: what was dumped comes back by the commands
// that the recipe's page gives; a dump that fails is none; one that can't be read back is not trusted.
import { beforeAll, describe, expect, test } from 'vitest'
import { blockOf } from '../scripts/page-blocks.ts'
import { apply, waitFor, type Ended } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { execIn, ready } from './support/pods.ts'
import { recipesPod, restoreOf } from './support/recipes.ts'
import { account, engineRules, rule } from './support/sidecar.ts'

/** A recipe, and shell for its database's container. */
interface Recipe {
  readonly name: string
  readonly container: string
  readonly fill: string
  /** Prints what there is. */
  readonly rows: string
  /** Changes, removes and adds. */
  readonly damage: string
  /** Makes the next dump fail half-way; what waits for it does so in the background. */
  readonly sabotage: string
  /** What the failed run quotes of the dump's program. */
  readonly says: string
  /** From now on dumps are not right, and nobody says so. */
  readonly spoil: string
}

const psql = 'PGPASSWORD="$POSTGRES_PASSWORD" psql --quiet --no-align --tuples-only -v ON_ERROR_STOP=1 -U shop shop'
const mariadb = 'MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb --user=root --batch --skip-column-names shop'
const redis = 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli -e'
const sqlite = 'sqlite3 -bail /data/shop.sqlite'
const sql = (client: string, text: string): string => `${client} <<'END'\n${text}\nEND\n`
/** A program that ends with 0 and has left out the end. */
const cutShort = (program: string, real: string, head = '-c -60'): string =>
  `printf '#!/bin/sh\\n${real} "$@" | head ${head}\\n' >/usr/local/sbin/${program}; chmod +x /usr/local/sbin/${program}`

const recipes: readonly Recipe[] = [
  {
    name: 'postgresql',
    container: 'postgres',
    fill: sql(
      psql,
      `DROP TABLE IF EXISTS orders, customers, ballast; SELECT lo_unlink(oid) FROM pg_largeobject_metadata;
       CREATE TABLE orders AS SELECT id, md5(id::text) AS what FROM generate_series(1, 1000) AS id;
       CREATE TABLE customers AS SELECT id, 'Zoë ' || id AS name FROM generate_series(1, 100) AS id`,
    ),
    rows: sql(psql, 'SELECT * FROM orders ORDER BY id; SELECT * FROM customers ORDER BY id'),
    damage: sql(
      psql,
      `DROP TABLE customers, ballast; DELETE FROM orders WHERE id % 3 = 0;
       UPDATE orders SET what = 'changed' WHERE id % 3 = 1; INSERT INTO orders VALUES (5000, 'new')`,
    ),
    // Large objects come last: when the dump waits for them, all tables are through.
    sabotage: `${sql(
      psql,
      `CREATE TABLE ballast AS SELECT repeat(md5(i::text), 30) FROM generate_series(1, 3000) AS i;
       SELECT lo_from_bytea(0, 'large')`,
    )}
      (${sql(
        psql,
        `BEGIN; LOCK TABLE pg_largeobject;
         DO $$ BEGIN LOOP
           PERFORM pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'pg_largeobject'::regclass AND NOT granted;
           EXIT WHEN FOUND;
           PERFORM pg_sleep(0.01);
         END LOOP; END $$; COMMIT`,
      )}) >/dev/null 2>&1 &`,
    says: 'terminating connection due to administrator command',
    spoil: cutShort('pg_dump', '/usr/lib/postgresql/15/bin/pg_dump'),
  },
  {
    name: 'mariadb',
    container: 'mariadb',
    fill: sql(
      mariadb,
      `DROP TABLE IF EXISTS orders, customers, ballast, waited;
       CREATE TABLE orders AS SELECT seq AS id, md5(seq) AS what FROM seq_1_to_1000;
       CREATE TABLE customers AS SELECT seq AS id, unhex(md5(seq)) AS picture FROM seq_1_to_100`,
    ),
    rows: sql(mariadb, 'SELECT * FROM orders ORDER BY id; SELECT id, hex(picture) FROM customers ORDER BY id'),
    damage: sql(
      mariadb,
      `DROP TABLE customers, ballast, waited; DELETE FROM orders WHERE id % 3 = 0;
       UPDATE orders SET what = 'changed' WHERE id % 3 = 1; INSERT INTO orders VALUES (5000, 'new')`,
    ),
    // The last table by name: when the dump waits for it, the others are through.
    sabotage: `${sql(
      mariadb,
      `CREATE TABLE ballast AS SELECT repeat(md5(seq), 30) AS what FROM seq_1_to_3000; CREATE TABLE waited (id INT)`,
    )}
      (${sql(
        `${mariadb} --delimiter=//`,
        `LOCK TABLES waited WRITE//
         BEGIN NOT ATOMIC DECLARE dump INT;
         REPEAT
           SELECT max(id) INTO dump FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata%';
           DO sleep(0.01);
         UNTIL dump IS NOT NULL END REPEAT;
         KILL dump; END//`,
      )}) >/dev/null 2>&1 &`,
    says: '(2013)',
    spoil: cutShort('mariadb-dump', '/usr/bin/mariadb-dump'),
  },
  {
    name: 'redis',
    container: 'redis',
    fill: `${redis} FLUSHALL >/dev/null; seq 1 1000 | sed 's/.*/SET order:& value-&/' | ${redis} >/dev/null`,
    rows: `${redis} KEYS '*' | sort | sed 's/.*/GET &/' | ${redis}; ${redis} DBSIZE`,
    damage: `printf 'DEL order:7\\nSET order:8 changed\\nSET order:5000 new\\nCONFIG SET rdb-key-save-delay 0\\n' | ${redis}`,
    // Slow, so that it is under way when it is cut off: after 100 kB of more than a MB.
    sabotage: `value=$(head -c 500 /dev/urandom | od -An -tx1 | tr -d ' \\n')
      seq 1 1000 | sed "s/.*/SET ballast:& $value/" | ${redis} >/dev/null
      printf 'CONFIG SET rdb-key-save-delay 5000\\nCONFIG RESETSTAT\\n' | ${redis}
      (until ${redis} INFO stats | grep -Eq 'total_net_repl_output_bytes:[0-9]{6}'; do sleep 0.05; done
       ${redis} CLIENT KILL TYPE replica) >/dev/null 2>&1 &`,
    says: 'I/O Error reading RDB payload from socket',
    spoil: cutShort('redis-cli', '/usr/bin/redis-cli -s /run/redis.sock'),
  },
  {
    name: 'sqlite',
    container: 'shop',
    fill: sql(
      sqlite,
      `PRAGMA journal_mode = WAL; DROP TABLE IF EXISTS orders;
       CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT CHECK (what <> ''));
       WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO orders SELECT i, hex(i * i) || '-' || i FROM n`,
    ),
    rows: sql(sqlite, 'SELECT * FROM orders ORDER BY id'),
    // What the sabotage has damaged is damage enough.
    damage: `! ${sqlite} 'SELECT * FROM orders' >/dev/null 2>&1`,
    sabotage: `dd if=/dev/urandom of=/data/shop.sqlite bs=4096 seek=2 count=2 conv=notrunc status=none`,
    says: 'database disk image is malformed',
    spoil: sql(sqlite, `PRAGMA ignore_check_constraints = ON; INSERT INTO orders VALUES (6000, '')`),
  },
  {
    name: 'tar',
    container: 'web',
    fill: `rm -rf /data/files /data/.before; mkdir -p /data/files/deep; cd /data/files
      for i in $(seq 50); do echo "file $i" >"deep/$i ü"; done; ln -s deep/1 link; chmod 0750 deep`,
    rows: `cd /data/files; find . -printf '%p %M %l\\n' | sort; find . -type f -exec sha256sum {} + | sort`,
    damage: `touch /tmp/stop; cd /data/files; rm 'deep/3 ü' link; echo changed >'deep/4 ü'; echo new >new`,
    sabotage: `rm -f /tmp/stop; head -c 20000000 /dev/zero >/data/files/log
      (until [ -e /tmp/stop ]; do echo line >>/data/files/log; sleep 0.005; done) >/dev/null 2>&1 &`,
    says: 'file changed as we read it',
    // After whole blocks, which tar -t alone doesn't mind.
    spoil: cutShort('tar', '/bin/tar', '-c 20480'),
  },
]

const namespace = useNamespace('recipes')
const pod = 'shop-0'

beforeAll(async () => {
  await apply(
    ...account(namespace, [...engineRules, rule('', 'pods/exec', 'create', 'get')]),
    ...recipesPod(
      namespace,
      recipes.map(({ name }) => name),
    ),
  )
  await ready(namespace, pod)
})

/** A run as `--json` prints it, as far as the tests look. */
interface Run {
  readonly status: string
  readonly targets: readonly {
    readonly verification: string
    readonly error?: { readonly code: string }
    readonly points: readonly { readonly id: string }[]
  }[]
}

describe.concurrent.each(recipes)('$name', (recipe) => {
  const { name, container } = recipe
  const inDatabase = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await execIn(namespace, pod, container, ['sh', '-euc', script])
    if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stderr}`)
    return stdout
  }

  describe.each(['scripts', 'hooks'])('as %s', { concurrent: false }, (form) => {
    const env = [
      `HOLDFAST_CONFIG=/recipes/${name}/${form}.yaml`,
      `HOLDFAST_STATE_DIR=/var/lib/holdfast/${name}-${form}`,
      `TARGET_CONTAINER=${container}`,
    ]
    const shell = (commands: string): Promise<Ended> =>
      execIn(namespace, pod, 'holdfast', ['env', ...env, 'bash', '-euo', 'pipefail', '-c', commands])
    const backUp = async (): Promise<Ended & { readonly run: Run }> => {
      const ended = await shell('holdfast run shop --json')
      return { ...ended, run: JSON.parse(ended.stdout || '{}') as Run }
    }
    test(
      'a dump comes back by the commands of the page, and one that fails changes nothing',
      { concurrent: false },
      async () => {
        // Of the form before, the program that left out the end.
        const prepare = `rm -f /usr/local/sbin/*\n(${recipe.fill}) >/dev/null\n${recipe.rows}`
        const before = await waitFor('the database', () => inDatabase(prepare))
        expect(before.split('\n').length).toBeGreaterThan(50)
        const { code, run, stderr } = await backUp()
        expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
        expect(run.targets).toMatchObject([{ verification: 'verified', points: [{}] }])
        const ids = run.targets.flatMap(({ points }) => points.map(({ id }) => id))

        await inDatabase(recipe.sabotage)
        const failed = await backUp()
        expect(failed).toMatchObject({ code: 1, run: { status: 'failed', targets: [{ points: [] }] } })
        expect(failed.stderr).toContain(recipe.says)

        await inDatabase(recipe.damage)
        const restored = await shell(restoreOf(name))
        expect({ code: restored.code, stderr: restored.code === 0 ? '' : restored.stderr }).toEqual({
          code: 0,
          stderr: '',
        })
        // The first one: of the one that failed, nothing is there that would be newer.
        expect(restored.stdout).toContain(ids[0])
        expect(restored.stderr).not.toContain('is newer')
        expect(await inDatabase(recipe.rows)).toBe(before)
      },
    )

    test('a dump that is not right although its program says so is not trusted', { concurrent: false }, async () => {
      await inDatabase(recipe.spoil)
      const { code, run } = await backUp()
      expect({ code, ...run }).toMatchObject({ code: 4, status: 'partial', targets: [{ verification: 'unverified' }] })
    })
  })
})

test('docs/drills.md: its scripts tell a shop from none, and leave nothing behind', async () => {
  const env = 'export PGUSER=shop PGPASSWORD="$POSTGRES_PASSWORD" HOLDFAST_DRILL_SUFFIX=page'
  const drill = (orders: number): Promise<Ended> => {
    const dump = `createdb source && psql -qc 'CREATE TABLE orders AS SELECT generate_series(1, ${orders})' source && \
      pg_dump --format=custom source >shop.dump && dropdb source`
    const script = `cd "$(mktemp -d)"\n${env}\n${dump}\n${blockOf('docs/drills.md', 'drill')}`
    return execIn(namespace, pod, 'postgres', ['sh', '-euc', script])
  }
  const cleanup = `${env}\n${blockOf('docs/drills.md', 'cleanup')}`
  const databases = `${env}\npsql -Atc 'SELECT count(*) FROM pg_database' shop`
  const shell = (script: string): Promise<Ended> => execIn(namespace, pod, 'postgres', ['sh', '-euc', script])
  // Of the tests before, the program that left out the end.
  await shell('rm -f /usr/local/sbin/*')
  await waitFor('the database', async () => (await shell(databases)).code === 0)
  const { stdout: before } = await shell(databases)
  for (const [orders, code] of [
    [1000, 0],
    [3, 1],
  ] as const) {
    const drilled = await drill(orders)
    expect({ ...drilled, stderr: code === 0 ? drilled.stderr : '' }).toMatchObject({ code, stderr: '' })
    for (const time of ['once', 'twice']) expect({ time, ...(await shell(cleanup)) }).toMatchObject({ code: 0 })
  }
  expect((await shell(databases)).stdout).toBe(before)
})
