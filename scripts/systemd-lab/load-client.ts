/**
 * Callers that post a photo over and over until standard input ends; then prints what became of the
 * requests as JSON (`LoadCounts`). A program of its own, for the lab's network:
 *
 *     node load-client.ts URL PHOTO CALLERS keep-alive|one-each
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadCounts {
  readonly answered: number;
  /** What else came, and how often: error codes of the system, or answers that are no results. */
  readonly failed: Readonly<Record<string, number>>;
  /** Of an answered request, waiting for a server that starts included. */
  readonly longestMs: number;
}

const PAUSE_AFTER_FAILURE_MS = 20;

const [url = '', photo = '', callers = '1', connections = 'keep-alive'] = process.argv.slice(2);
const body = JSON.stringify({ image: (await readFile(photo)).toString('base64') });
const failed: Record<string, number> = {};
let answered = 0;
let longestMs = 0;
let isEnding = false;

process.stdin.on('end', () => {
  isEnding = true;
});
process.stdin.resume();
await Promise.all(Array.from({ length: Number(callers) }, callUntilEnd));
process.stdout.write(JSON.stringify({ answered, failed, longestMs } satisfies LoadCounts));
process.exit();

async function callUntilEnd(): Promise<void> {
  const agent = new Agent({ keepAlive: connections === 'keep-alive', maxSockets: 1 });
  while (!isEnding) {
    const started = performance.now();
    const problem = await call(agent);
    if (problem === undefined) {
      answered++;
      longestMs = Math.max(longestMs, performance.now() - started);
    } else {
      failed[problem] = (failed[problem] ?? 0) + 1;
      await sleep(PAUSE_AFTER_FAILURE_MS);
    }
  }
}

function call(agent: Agent): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve(text.includes('"results"') ? undefined : text));
      response.on('error', (error: NodeJS.ErrnoException) =>
        resolve(`answer: ${error.code ?? error.message}`),
      );
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(body);
  });
}
