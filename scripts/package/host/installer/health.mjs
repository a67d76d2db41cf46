/**
 * Asks a server's administration address how it is.
 *
 *     node health.mjs ADDRESS                       prints the services that are ready, one a line
 *     node health.mjs ADDRESS VERSION [--answers REQUESTS] [SERVICE...]
 *                                                  exit 0: this version answers, at least one service is
 *                                                  ready, and all of those named are; what is ready also
 *                                                  answers a golden example rightly at that address
 *
 * Otherwise it prints why: exit 1 while that may still come, 2 where it will not. A service that was
 * taken out of the configuration is not missed. A licence is no matter of health: /readyz counts it,
 * this does not.
 */
import { get } from 'node:http';
import { parseArgs } from 'node:util';
import { findWrongAnswer } from './answers.mjs';

const TIMEOUT_MS = 3000;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { answers: { type: 'string' } },
});
const [address, version, ...wanted] = positionals;

try {
  const health = await ask(`http://${address}/readyz`);
  if (version === undefined) {
    const ready = health.services.filter(({ state }) => state === 'ready');
    process.stdout.write(ready.map(({ deployName }) => `${deployName}\n`).join(''));
  } else {
    await judge(health);
  }
} catch (error) {
  if (version !== undefined) {
    report(1, `no answer on ${address}: ${error.message}`);
  }
}

async function judge({ version: answering, status, services }) {
  if (answering !== version) {
    report(1, `version ${answering} still answers, not ${version}`);
  } else if (status === 'draining') {
    report(1, 'it is stopping');
  } else if (services.some(({ state }) => state === 'loading')) {
    report(1, 'models are loading');
  } else {
    const down = services.filter(({ state }) => state !== 'ready');
    const missed = down.filter(({ deployName }) => wanted.includes(deployName));
    if (down.length === services.length || missed.length > 0) {
      report(2, down.map(describe).join('; '));
      return;
    }
    const wrong = await findWrongAnswers(services.filter(({ state }) => state === 'ready'));
    if (wrong.length > 0) {
      report(2, wrong.join('; '));
    } else if (down.length > 0) {
      process.stdout.write(`${down.map(describe).join('\n')}\n`);
    }
  }
}

async function findWrongAnswers(services) {
  if (values.answers === undefined) {
    return [];
  }
  const turn = Math.floor(performance.timeOrigin / 1000); // another example with each call
  const asked = services.map((service) => findWrongAnswer(values.answers, service, turn));
  return (await Promise.all(asked)).filter((problem) => problem !== undefined);
}

function describe({ deployName, state, problems = [] }) {
  return `${deployName} is not ready (${state}): ${problems.join(', ')}`;
}

function report(exitCode, reason) {
  process.stdout.write(`${reason}\n`);
  process.exitCode = exitCode;
}

/** Without an agent, so that no connection stays open. */
function ask(url) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString()));
        } catch {
          reject(new Error('the answer is not that of an edge-infer server'));
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error(`nothing within ${TIMEOUT_MS} ms`)));
    request.on('error', reject);
  });
}
