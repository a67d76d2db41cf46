/**
 * Reads what `edge-infer config show --json` prints and writes the two addresses that systemd's
 * sockets listen on, a line each: requests, administration. Exit 78 with a reason where a socket cannot
 * listen there.
 */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

const { config } = JSON.parse(readFileSync(0, 'utf8'));
const problems = [];
const addresses = [
  await findAddress('', config.host, config.port),
  await findAddress('admin.', config.admin.host, config.admin.port),
];
if (problems.length > 0) {
  process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
  process.exit(78);
}
process.stdout.write(addresses.map((address) => `${address}\n`).join(''));

/** systemd takes no host names: a name is looked up once, now. */
async function findAddress(prefix, host, port) {
  if (port === 0) {
    problems.push(
      `${prefix}port: expected the number of a port for an installed server, received 0`,
    );
  }
  const address = isIP(host) > 0 ? host : await findIp(host);
  if (address === undefined) {
    problems.push(`${prefix}host: "${host}" has no address on this host; set an IP address`);
  }
  return isIP(address ?? '') === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

async function findIp(host) {
  if (host === 'localhost') {
    return '127.0.0.1';
  }
  try {
    return (await lookup(host)).address;
  } catch {
    return undefined; // told above, with the key's name
  }
}
