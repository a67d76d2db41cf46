/**
 * What the server's main thread is held against: a plain HTTP server that reads each body into one
 * buffer, in the usual way, and answers with as many bytes as the server does.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const ANSWER =
  '{"log_id":5132558772297159724,"results":[{"name":"espresso","score":0.951324999332428},{"name":"cup","score":0.01487196795642376}]}';

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces);
    response.writeHead(body.length > 0 ? 200 : 400, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': ANSWER.length,
    });
    response.end(ANSWER);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
