import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';

const ANSWER_TIMEOUT_MS = 60_000;

/** Sends one body and gives the answer's; any status but 200 is an error. */
export async function post(url: string, agent: Agent, body: string | Uint8Array): Promise<string> {
  const sent = request(url, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    timeout: ANSWER_TIMEOUT_MS,
  });
  sent.once('timeout', () => sent.destroy(new Error(`no answer in ${ANSWER_TIMEOUT_MS} ms`)));
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) {
    text += chunk;
  }
  if (response.statusCode !== 200) {
    throw new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`);
  }
  return text;
}
