import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { showCommandLine } from "./command-line.ts";

const shown = (...words: string[]) => showCommandLine(words, "app", "redacted");
const R = "[redacted]";

describe("secrets are hidden", () => {
  test.each<[string[], string]>([
    [["app", "--password=hunter2"], `app --password=${R}`],
    [["app", "--password", "hunter2", "next"], `app --password ${R} next`],
    [["app", "-password", "hunter2"], `app -password ${R}`],
    [["app", "--db-pass=hunter2", "--passphrase", "hunter2"], `app --db-pass=${R} --passphrase ${R}`],
    [["env", "DB_PASSWORD=hunter2 with space", "X=1", "app"], `env DB_PASSWORD=${R} X=1 app`],
    [["env", "AWS_SECRET_ACCESS_KEY=hunter2", "PGPASSWORD=hunter2"], `env AWS_SECRET_ACCESS_KEY=${R} PGPASSWORD=${R}`],
    [
      ["app", "--api_key=hunter2", "--apiKey=hunter2", "--api-key", "hunter2"],
      `app --api_key=${R} --apiKey=${R} --api-key ${R}`,
    ],
    [["app", "--private-key=hunter2", "--token:hunter2"], `app --private-key=${R} --token:${R}`],
    [["java", "-Ddb.password=hunter2", "-jar", "a.jar"], `java -Ddb.password=${R} -jar a.jar`],
    [["app", "https://host/?token=hunter2&page=1"], `app https://host/?token=${R}&page=1`],
    [["psql", "postgres://me:hunt@er2@host/db"], `psql postgres://${R}@host/db`],
    [["git", "clone", "https://x-access-token:hunter2@github.com/a/b"], `git clone https://${R}@github.com/a/b`],
    [["curl", "-H", "Authorization: Bearer hunter2", "https://h"], `curl -H Authorization:${R} https://h`],
    [["curl", "--header=X-Api-Key: hunter2"], `curl --header=X-Api-Key: ${R}`],
    [["curl", "-H", "Authorization:", "Bearer", "hunter2", "x"], `curl -H Authorization: Bearer ${R} x`],
    [["curl", "-u", "me:hunter2", "https://h"], `curl -u ${R} https://h`],
    [["/usr/bin/mysql", "-phunter", "-uroot", "db"], `/usr/bin/mysql -p${R} -uroot db`],
    [["mysqldump", "-p", "hunter2", "db"], `mysqldump -p ${R} db`],
    [["sshpass", "-phunter", "ssh", "host"], `sshpass -p${R} ssh host`],
    [["redis-cli", "-a", "hunter2", "GET", "k"], `redis-cli -a ${R} GET k`],
    [["ldapsearch", "-w", "hunter2", "-b", "dc=x"], `ldapsearch -w ${R} -b dc=x`],
    [["app", "-phunter2"], `app -p${R}`],
    [["openssl", "-passin", "pass:hunter2"], `openssl -passin ${R}`],
    [["psql", "host=db password=hunter2 user=me"], `psql host=db password=${R} user=me`],
    [["app", '{"password":"hunt er2","user":"me"}'], `app {"password":${R},"user":"me"}`],
    [["app", "Server=db;Password=hunter2;Port=1"], `app Server=db;Password=${R}`],
    [["sh", "-c", "cd /x && DB_PASSWORD=hunter2 run --port 80"], `sh -c cd /x && DB_PASSWORD=${R} run --port 80`],
    [["sh", "-c", "mysql -phunter db && run --token 'hunt er2' -v"], `sh -c mysql -p${R} db && run --token ${R} -v`],
    [["app --password=hunter2 (worker)"], `app --password=${R} (worker)`],
  ])("%j", (words, expected) => {
    expect(shown(...words)).toBe(expected);
    expect(shown(...words)).not.toMatch(/hunt|er2/);
  });

  test("whatever the password, a flag that is named so never shows it", () => {
    const secret = fc.string({ minLength: 3 }).map((text) => `>${text}<`);
    const flag = fc.constantFrom("--password", "--db-token", "-secret", "--api-key");
    fc.assert(
      fc.property(flag, secret, (name, value) => {
        expect(shown("app", `${name}=${value}`)).toBe(`app ${name}=${R}`);
        expect(shown("app", name, value, "--x")).toBe(`app ${name} ${R} --x`);
      }),
    );
  });
});

describe("what is no secret stays", () => {
  test.each([
    ["app", "-p", "8080", "--port", "8080", "-p8080", "--port=8080"],
    ["docker", "run", "-p", "8080:80", "-u", "1000:1000", "image"],
    ["ssh", "-p", "2222", "host"],
    ["app", "--no-password", "keep", "--disable-token-auth", "keep", "--skip-auth", "keep"],
    ["app", "--password", "--port", "80"],
    ["app", "--password-file", "/run/secrets/db", "--token-file=/run/token", "DB_PASSWORD_FILE=/run/db"],
    ["app", "-path=/etc/app", "-parallel-gc", "-profile", "dev", "-pidfile=/run/a1"],
    ["app", "/opt/token/bin:/opt/secret", "./auth/server.js", "/etc/ssl/private"],
    ["app", "auth.example.com:443", "http://auth.example.com:80/x", "redis://cache:6379/0"],
    ["app", "--author=me", "--authority", "ca", "--passive", "on", "passenger=1"],
    ["npm", "run", "basic", "test"],
    ["postgres:", "checkpointer", ""],
    ["mail", "someone@example.com"],
  ])("%s %s %s %s", (...words) => expect(shown(...words)).toBe(words.join(" ")));
});

test("control characters, line ends and what turns text around become spaces", () => {
  expect(showCommandLine(["a\u001b[31m\nb\r\u0000c\u0085d\u2028e\u202ef"], "x", "full")).toBe("a [31m b  c d e f");
  expect(showCommandLine(null, "kwork\ner", "redacted")).toBe("[kwork er]");
  expect(shown("grüße", "日本", "🚀")).toBe("grüße 日本 🚀");
});

test("a process without arguments shows its name in brackets", () => {
  for (const mode of ["full", "redacted", "name"] as const) {
    expect(showCommandLine(null, "kthreadd", mode)).toBe("[kthreadd]");
    expect(showCommandLine([], "app", mode)).toBe("[app]");
  }
});

test("whole shows everything, name nothing but the name", () => {
  const words = ["/bin/app", "--password=hunter2"];
  expect(showCommandLine(words, "app", "full")).toBe("/bin/app --password=hunter2");
  expect(showCommandLine(words, "app", "name")).toBe("app");
});

test("a very long command line is cut, and doesn't hold the sampler up", () => {
  const long = shown("java", ...Array.from({ length: 5_000 }, (_, number) => `-Dx${number}=1`));
  expect(long.length).toBeLessThanOrEqual(4_097);
  expect(long.length).toBeGreaterThan(4_000);
  expect(long).toMatch(/…$/);
  expect(showCommandLine(["java", "x".repeat(10_000)], "java", "full")).toHaveLength(10_005);
  const hostile = ["a", "a-", "pass", "token-", "a b ", '"', "-pa", "a://", "sh -c '"].map((part) =>
    part.repeat(50_000),
  );
  const started = performance.now();
  for (const word of hostile) shown("app", word, word);
  expect(performance.now() - started).toBeLessThan(1_000);
});
