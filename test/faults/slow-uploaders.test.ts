import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startTestServer } from '../support/server.ts';

test('bodies that are slow to arrive keep nobody out', async () => {
  await using running = await startTestServer({ 'queue.max-requests': '1', workers: '1' });
  const admission = running.server.services.get('imagenet')?.admission;
  const sockets: Socket[] = [];
  for (let i = 0; i < 20; i++) {
    const socket = connect(running.server.servicePort, '127.0.0.1').on('error', () => undefined);
    socket.write('POST /imagenet/ImageClassification HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{');
    sockets.push(socket);
  }
  await expect.poll(() => admission?.openRequests).toBe(20);
  const response = await fetch(`${running.url}/imagenet/ImageClassification`, {
    method: 'POST',
    body: '{"image":"AAAA"}',
  });
  expect(await response.text()).toContain('"error_code":336005'); // it was looked at
  for (const socket of sockets) {
    socket.destroy();
  }
  await expect.poll(() => admission?.heldBytes).toBe(0);
});
